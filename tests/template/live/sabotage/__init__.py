"""For every live proof a fault that turns it red: one patch a file, told by what is broken and which proofs notice."""
