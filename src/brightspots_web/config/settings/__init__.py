"""Settings: `base` is shared; choose `sample`, `local`, `production` or `test`."""
