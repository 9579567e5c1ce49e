# One static binary, no shell, no root. There is no HEALTHCHECK: without a shell
# nothing in here could run one; let the platform ask /healthz and /readyz.
FROM docker.io/library/golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN make build VERSION="$VERSION" && mkdir -m 1777 /empty

FROM scratch
# For TLS to the mail server and the sign-in provider. Time zones are in the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/petschaft /petschaft
# Where exports lie until they are sent. With a read-only root mount something there.
COPY --from=build --chmod=1777 /empty /tmp
# What it was built from (CycloneDX).
COPY --from=build /src/bin/petschaft.cdx.json /petschaft.cdx.json
USER 65532:65532
# Only what listens beyond loopback can be reached from outside the container.
ENV PETSCHAFT_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/petschaft"]
CMD ["serve"]
