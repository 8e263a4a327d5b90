"""What went over HTTP during a run: seen, priced, recorded, replayed, slowed down and broken on purpose."""
