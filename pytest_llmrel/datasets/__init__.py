"""Golden cases on disk become values, whole or not at all, and are looked over for what spoils a dataset."""
