// The kube-apiserver of the Kubernetes release in go.mod, unchanged. `go install` refuses to build
// Kubernetes' own main package, because its go.mod replaces modules.
package main

import (
	"os"
	_ "time/tzdata" // time zones in CronJobs and in CEL

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
