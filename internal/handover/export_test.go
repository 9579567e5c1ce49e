package handover

// Occupy takes the turn to hash until free is called.
func (b *Book) Occupy() (free func()) {
	b.hasher.once.Do(func() { b.hasher.turn = make(chan struct{}, 1) })
	b.hasher.turn <- struct{}{}
	return func() { <-b.hasher.turn }
}

// Waits is how many have a place in the queue.
func (b *Book) Waits() int {
	b.hasher.mu.Lock()
	defer b.hasher.mu.Unlock()
	return b.hasher.all
}
