"""One part of each kind that a package of your own can add to toughopt."""
