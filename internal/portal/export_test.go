package portal

import "context"

// ServeMetrics answers on the address of the configuration.
func ServeMetrics(p *Portal) (stop func(), err error) { return p.serveMetrics() }

// TryProvider is what Serve does at its start.
func TryProvider(ctx context.Context, p *Portal) { p.tryProvider(ctx) }

// Vouches tells whether an operator with c stands for the address.
func Vouches(c Config, address string) bool { return c.vouches(address) }

// Names are the environment variables of all settings.
func Names() []string { return names() }
