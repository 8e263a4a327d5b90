"""Clients of httpx and httpx2 whose calls cost the same with one in flight and with 512; knows no runs."""
