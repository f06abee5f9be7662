package dialect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// The fields of an answer that the dialect puts elsewhere than into its body.
const (
	// fieldTask of a changing call's answer becomes a header.
	fieldTask protoreflect.Name = "task"
	// fieldPlanned is all there is of the answer to a dry run.
	fieldPlanned protoreflect.Name = "plan"
	// fieldNextMarker of a list becomes a link.
	fieldNextMarker protoreflect.Name = "next_marker"
)

// reply is how one RPC's response becomes an answer.
type reply struct {
	plan *plan
	// task is the field that goes into the header; nil if there is none.
	task protoreflect.FieldDescriptor
	// planned is the field that a dry run answers with; nil if the call has none.
	planned protoreflect.FieldDescriptor
	dryRun  *plan
	// marker is the field that becomes a link; nil if there is none.
	marker protoreflect.FieldDescriptor
	// collection is the key of a list, for its "<collection>_links".
	collection string
	// empty says that nothing is left for a body: the answer is 202 with length 0.
	empty bool
}

// codec is the mux's marshaller. All it knows comes from the descriptors of the routes.
type codec struct {
	replies map[protoreflect.FullName]*reply
	bodies  map[protoreflect.FullName]*shape
	plans   planner
}

func newCodec(rs routes) (*codec, error) {
	c := &codec{replies: map[protoreflect.FullName]*reply{}, bodies: map[protoreflect.FullName]*shape{}, plans: planner{}}
	shapes := shaper{}
	for _, r := range rs {
		made, err := c.reply(r)
		if err != nil {
			return nil, err
		}
		c.replies[r.output.FullName()] = made
		if r.method == http.MethodGet || r.method == http.MethodDelete {
			continue
		}
		body, err := shapes.shape(r.input, r.parameters...)
		if err != nil {
			return nil, err
		}
		c.bodies[r.input.FullName()] = body
	}
	return c, nil
}

func (c *codec) reply(r route) (*reply, error) {
	made := &reply{}
	fields := r.output.Fields()
	if r.method != http.MethodGet {
		made.task, made.planned = fields.ByName(fieldTask), fields.ByName(fieldPlanned)
	}
	made.marker = fields.ByName(fieldNextMarker)
	var elsewhere []protoreflect.Name
	for _, field := range []protoreflect.FieldDescriptor{made.task, made.planned, made.marker} {
		if field != nil {
			elsewhere = append(elsewhere, field.Name())
		}
	}
	var err error
	if made.plan, err = c.plans.plan(r.output, elsewhere...); err != nil {
		return nil, err
	}
	if made.planned != nil {
		if made.dryRun, err = c.plans.plan(made.planned.Message()); err != nil {
			return nil, err
		}
	}
	made.empty = len(made.plan.fields) == 0
	if made.marker != nil {
		made.collection = made.plan.fields[0].descriptor.JSONName()
	}
	return made, nil
}

// isPlan says whether the answer is that of a dry run.
func (r *reply) isPlan(message protoreflect.Message) bool {
	return r.planned != nil && message.Has(r.planned)
}

// page is a list with a next page.
type page struct {
	reply   *reply
	message protoreflect.Message
	next    string
}

// answerHead sets what an answer says before its body: the task, and that there is no body.
func (d *Dialect) answerHead(_ context.Context, w http.ResponseWriter, response proto.Message) error {
	known := d.codec.replies[response.ProtoReflect().Descriptor().FullName()]
	if known == nil {
		return nil
	}
	if known.task != nil {
		if task, ok := response.ProtoReflect().Get(known.task).Message().Interface().(*taskv1.Task); ok && task.GetId() != "" {
			w.Header().Set(headerTaskID, task.GetId())
		}
	}
	if noContent(response) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if known.empty && !known.isPlan(response.ProtoReflect()) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusAccepted)
	}
	return nil
}

// turnPage gives a list that goes on the link to its next page.
func (d *Dialect) turnPage(ctx context.Context, response proto.Message) (any, error) {
	known := d.codec.replies[response.ProtoReflect().Descriptor().FullName()]
	if known == nil || known.marker == nil {
		return response, nil
	}
	message := response.ProtoReflect()
	marker := message.Get(known.marker).String()
	if marker == "" {
		return response, nil
	}
	request := exchangeOf(ctx).request
	return &page{reply: known, message: message, next: d.nextLink(request, marker)}, nil
}

func (d *Dialect) nextLink(request *http.Request, marker string) string {
	query := request.URL.Query()
	rest := url.Values{}
	for key, values := range query {
		if key != "marker" && key != "limit" && len(values) > 0 {
			rest.Set(key, values[len(values)-1])
		}
	}
	var link strings.Builder
	link.WriteString(d.publicBase(request) + request.URL.EscapedPath() + "?marker=" + url.QueryEscape(marker))
	if limits := query["limit"]; len(limits) > 0 {
		link.WriteString("&limit=" + url.QueryEscape(limits[len(limits)-1]))
	}
	if len(rest) > 0 {
		link.WriteString("&" + rest.Encode())
	}
	return link.String()
}

// usualAnswer is the size, in bytes, for which room is made at once; one instance fits.
const usualAnswer = 2048

// Marshal writes an answer's body.
func (c *codec) Marshal(v any) ([]byte, error) {
	switch answer := v.(type) {
	case proto.Message:
		message := answer.ProtoReflect()
		known := c.replies[message.Descriptor().FullName()]
		if known == nil {
			return nil, fmt.Errorf("no route answers with %s", message.Descriptor().FullName())
		}
		if known.isPlan(message) {
			return append(known.dryRun.append([]byte(`{"plan":{`), message.Get(known.planned).Message()), "}}"...), nil
		}
		if known.empty || noContent(answer) {
			return nil, nil
		}
		b := make([]byte, 0, usualAnswer)
		return append(known.plan.append(append(b, '{'), message), '}'), nil
	case *page:
		b := append(make([]byte, 0, usualAnswer), '{')
		b = append(answer.reply.plan.append(b, answer.message), ',')
		b = append(answer.appendLinks(b, "links"), ',')
		b = answer.appendLinks(b, answer.reply.collection+"_links")
		return append(b, '}'), nil
	}
	return nil, fmt.Errorf("no answer is made of %T", v)
}

func (p *page) appendLinks(b []byte, key string) []byte {
	b = append(appendText(b, key), `:[{"rel":"next","href":`...)
	return append(appendText(b, p.next), "}]"...)
}

// Unmarshal is not used: bodies are decoded where they stand, by NewDecoder.
func (c *codec) Unmarshal([]byte, any) error {
	return errors.New("a body is decoded from its request")
}

// NewDecoder decodes a request's payload into the RPC's message.
func (c *codec) NewDecoder(body io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		p, isPayload := body.(*payload)
		target, isMessage := v.(proto.Message)
		if !isPayload || !isMessage {
			return fmt.Errorf("decode %T into %T", body, v)
		}
		message := target.ProtoReflect()
		body := c.bodies[message.Descriptor().FullName()]
		if body == nil {
			return fmt.Errorf("no route takes %s", message.Descriptor().FullName())
		}
		if p.refused = p.decode(body, message); p.refused != nil {
			return p.refused
		}
		return nil
	})
}

// NewEncoder writes one answer to a stream.
func (c *codec) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		b, err := c.Marshal(v)
		if err != nil {
			return err
		}
		if _, err = w.Write(b); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		return nil
	})
}

// ContentType is JSON's, whatever was asked for: XML is dead.
func (c *codec) ContentType(any) string { return jsonType }
