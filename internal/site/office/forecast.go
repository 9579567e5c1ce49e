package office

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/digest"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// Forecast shows how often server certificates will be renewed.
func (s *Section) Forecast(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f, err := s.Digest.Forecast(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	m := officeview.ForecastModel{Lead: page.T(ctx, "forecast.lead", "n", f.Certificates)}
	if f.Certificates == 0 {
		m.Lead = page.T(ctx, "forecast.lead_none")
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "forecast.none"), Text: page.T(ctx, "forecast.none_text")}
	} else {
		s.fillForecast(ctx, &m, f)
	}
	return s.Show(w, r, http.StatusOK, officeview.ForecastPage(s.OfficeFrame(r, page.T(ctx, "forecast.title")), m))
}

func (s *Section) fillForecast(ctx context.Context, m *officeview.ForecastModel, f digest.Forecast) {
	number := locale.From(ctx).Number
	for i, first := range f.Months {
		x := officeview.ForecastMonth{Name: locale.From(ctx).Month(first)}
		for _, l := range f.Limits {
			x.Counts = append(x.Counts, number(l.Renewals[i]))
		}
		m.Months = append(m.Months, x)
	}
	for _, l := range f.Limits {
		m.Limits = append(m.Limits, limitWords(ctx, l, s.Now()))
	}
	m.Chart = forecastChart(ctx, f, m.Limits)
}

func limitWords(ctx context.Context, l digest.LimitForecast, now time.Time) officeview.ForecastLimit {
	m := officeview.ForecastLimit{
		Name: page.T(ctx, "forecast.days", "n", l.Days), Since: page.T(ctx, "forecast.today"), Total: locale.From(ctx).Number(l.Total),
	}
	if l.From.After(now) {
		m.Since = page.T(ctx, "office.from", "day", view.Day(ctx, l.From, now).Text)
	}
	return m
}

var monthIDs = [...]string{
	"forecast.jan", "forecast.feb", "forecast.mar", "forecast.apr", "forecast.may", "forecast.jun",
	"forecast.jul", "forecast.aug", "forecast.sep", "forecast.oct", "forecast.nov", "forecast.dec",
}

func shortMonth(ctx context.Context, day time.Time) string {
	return page.T(ctx, monthIDs[day.Month()-1])
}

// The chart: pixels from its top, shares of its width from the left, where the
// numbers stand.
const (
	chartTop, chartBottom, chartHeight = 16.0, 250.0, 272.0
	chartLeft                          = 9.0
)

// chartOpacity makes the bars fuller from the limit of today to the last one.
var chartOpacity = [...]string{"0.15", "0.5", "1", "0.75"}

func forecastChart(ctx context.Context, f digest.Forecast, limits []officeview.ForecastLimit) officeview.ForecastChart {
	number := locale.From(ctx).Number
	c := officeview.ForecastChart{Height: px(chartHeight), Title: page.T(ctx, "forecast.chart")}
	top := levels(f)
	y := func(n int64) float64 { return chartBottom - float64(n)/float64(top)*(chartBottom-chartTop) }
	for n := int64(0); n <= top; n += top / 4 {
		c.Lines = append(c.Lines, officeview.ChartLine{Y: px(y(n)), TextY: px(y(n) - 3), Text: number(n)})
	}
	month := (100 - chartLeft) / float64(len(f.Months))
	bar := month * 0.84 / float64(len(f.Limits))
	for i, first := range f.Months {
		x := chartLeft + float64(i)*month
		c.Labels = append(c.Labels, officeview.ChartLabel{X: share(x + month*0.42), Y: px(chartBottom + 16), Text: shortMonth(ctx, first)})
		for j, l := range f.Limits {
			n := l.Renewals[i]
			c.Bars = append(c.Bars, officeview.ChartBar{
				X: share(x + float64(j)*bar), Y: px(y(n)), Width: share(bar * 0.86), Height: px(chartBottom - y(n)), Opacity: chartOpacity[j%len(chartOpacity)],
				Title: locale.From(ctx).Month(first) + ", " + limits[j].Name + ": " + number(n),
			})
		}
	}
	for j, l := range limits {
		c.Keys = append(c.Keys, officeview.ChartKey{Opacity: chartOpacity[j%len(chartOpacity)], Text: l.Name + ", " + l.Since})
	}
	return c
}

// levels is the number at the top of the chart: four even steps, at least 4.
func levels(f digest.Forecast) int64 {
	most := int64(1)
	for _, l := range f.Limits {
		for _, n := range l.Renewals {
			most = max(most, n)
		}
	}
	for unit := int64(1); ; unit *= 10 {
		for _, step := range [...]int64{1, 2, 5} {
			if 4*step*unit >= most {
				return 4 * step * unit
			}
		}
	}
}

func px(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

func share(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }
