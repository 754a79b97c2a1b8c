"""Pages of exits: `upstream` is the covered entity's side, `downstream` the business associate's, `shared` both's."""
