"""Results as text and data for people and programs; pure, and every text from outside is made safe."""
