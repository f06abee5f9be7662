package dialect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// route is one http rule of a proto: what the generated mux serves.
type route struct {
	method string
	// segments of the path; "" stands for a parameter.
	segments []string
	// parameters are the request fields that the path sets.
	parameters []protoreflect.Name
	// verb is what follows the colon of the last segment: a key of Trove's /action body.
	verb   string
	input  protoreflect.MessageDescriptor
	output protoreflect.MessageDescriptor
}

// routes are all http rules of the services.
type routes []route

func routesOf(services []protoreflect.ServiceDescriptor) (routes, error) {
	var all routes
	for _, service := range services {
		methods := service.Methods()
		for i := range methods.Len() {
			rule, ok := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
			if !ok || rule == nil {
				continue
			}
			for _, binding := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
				r, err := routeOf(methods.Get(i), binding)
				if err != nil {
					return nil, err
				}
				all = append(all, r)
			}
		}
	}
	return all, nil
}

func routeOf(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) (route, error) {
	r := route{input: method.Input(), output: method.Output()}
	var path string
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.method, path = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Post:
		r.method, path = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Put:
		r.method, path = http.MethodPut, pattern.Put
	case *annotations.HttpRule_Patch:
		r.method, path = http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Delete:
		r.method, path = http.MethodDelete, pattern.Delete
	default:
		return route{}, fmt.Errorf("%s: an http rule of this kind is not served", method.FullName())
	}
	if body := rule.GetBody(); body != "" && body != "*" {
		return route{}, fmt.Errorf("%s: body %q is not served: Trove's bodies are whole messages", method.FullName(), body)
	}
	path, r.verb, _ = strings.Cut(path, ":")
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if name, found := strings.CutPrefix(segment, "{"); found {
			r.parameters = append(r.parameters, protoreflect.Name(strings.TrimSuffix(name, "}")))
			segment = ""
		}
		r.segments = append(r.segments, segment)
	}
	return r, nil
}

func (r route) matches(segments []string) bool {
	return slices.EqualFunc(r.segments, segments, func(want, got string) bool { return want == "" || want == got })
}

// actions are the keys of the /action body that the path takes; nil when it takes none.
func (rs routes) actions(segments []string) []string {
	var verbs []string
	for _, r := range rs {
		if r.verb != "" && r.matches(segments) {
			verbs = append(verbs, r.verb)
		}
	}
	return verbs
}

// methods are what may be done with a path: the Allow header of a 405.
func (rs routes) methods(segments []string) []string {
	var allowed []string
	for _, r := range rs {
		if r.matches(segments) {
			allowed = append(allowed, r.method)
		}
	}
	slices.Sort(allowed)
	return slices.Compact(allowed)
}
