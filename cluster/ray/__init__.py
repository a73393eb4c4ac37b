"""Files for Ray's own cluster launcher, `ray up`."""
