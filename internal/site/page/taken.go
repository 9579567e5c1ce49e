package page

import (
	"context"
	"fmt"
	"strconv"

	"petschaft/internal/fault"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// InTheWay are the rows that have the addresses that err is about, as far as its
// reader may see them: an err that names none has none.
func InTheWay(ctx context.Context, err error) (ns []view.LinkNotice) {
	f := fault.Of(err)
	if f == nil {
		return nil
	}
	said := map[string]bool{}
	for _, x := range append(f.Fields, fault.Field{Args: f.Args}) {
		blanks := map[any]any{}
		for i := 0; i+1 < len(x.Args); i += 2 {
			blanks[x.Args[i]] = x.Args[i+1]
		}
		row, err := strconv.ParseInt(fmt.Sprint(blanks["row"]), 10, 64) // what was kept comes back as another kind of number
		if err != nil {
			continue
		}
		words := T(ctx, "row.taken", x.Args...)
		if said[words] {
			continue
		}
		said[words] = true
		ns = append(ns, view.LinkNotice{
			Notice: view.NoticeModel{Kind: view.Warn, Text: words},
			Link:   view.Link{Label: T(ctx, "row.taken_look"), Href: paths.Row(fmt.Sprint(blanks["domain"]), row)},
		})
	}
	return ns
}
