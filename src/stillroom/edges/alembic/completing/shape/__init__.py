"""Tables, names, keys, references and indexes: what is renamed, ordered, named, or built while others write."""
