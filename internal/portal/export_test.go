package portal

// ServeMetrics answers on the address of the configuration.
func ServeMetrics(p *Portal) (stop func(), err error) { return p.serveMetrics() }
