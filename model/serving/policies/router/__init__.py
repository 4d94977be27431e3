"""Which instance gets a request. A policy is made with the number of instances and has `choose(request, loads, alive)`:
`loads` are tokens each instance still has to do, `alive` the numbers of those that run."""
