"""The plane: two columns against each other, with gates."""
