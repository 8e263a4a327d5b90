"""The rooms' only contact with pytest: marks, collection, run nodes, capture, the flow of one item."""
