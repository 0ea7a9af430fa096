"""The log: events, store, artifacts, and the state that is a fold over them."""
