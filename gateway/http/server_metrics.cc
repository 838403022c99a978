#include "gateway/http/server_metrics.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace entrepot::gateway::http {
namespace {

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  return buckets;
}

}  // namespace

ServerMetrics::ServerMetrics(const std::shared_ptr<prometheus::Registry>& registry)
    : registry_(registry),
      requests_(prometheus::BuildCounter()
                    .Name("entrepot_http_requests_total")
                    .Help("HTTP requests answered")
                    .Register(*registry)),
      duration_(prometheus::BuildHistogram()
                    .Name("entrepot_http_request_duration_seconds")
                    .Help("From the end of a request's header to the last byte of its response")
                    .Register(*registry)),
      first_byte_(prometheus::BuildHistogram()
                      .Name("entrepot_http_time_to_first_byte_seconds")
                      .Help("From the end of a request's header to the first byte of its response")
                      .Register(*registry)),
      request_bytes_(prometheus::BuildCounter()
                         .Name("entrepot_http_request_bytes_total")
                         .Help("Bytes of request bodies read")
                         .Register(*registry)),
      response_bytes_(prometheus::BuildCounter()
                          .Name("entrepot_http_response_bytes_total")
                          .Help("Bytes of response bodies sent")
                          .Register(*registry)),
      refused_(prometheus::BuildCounter()
                   .Name("entrepot_http_refused_total")
                   .Help("Requests refused for their header: not HTTP's grammar, or beyond a limit")
                   .Register(*registry)),
      in_flight_(prometheus::BuildGauge()
                     .Name("entrepot_http_requests_in_flight")
                     .Help("HTTP requests under way")
                     .Register(*registry)
                     .Add({})),
      connections_(prometheus::BuildGauge()
                       .Name("entrepot_http_connections")
                       .Help("Open client connections")
                       .Register(*registry)
                       .Add({})),
      connections_max_(prometheus::BuildGauge()
                           .Name("entrepot_http_connections_max")
                           .Help("The most client connections that may be open")
                           .Register(*registry)
                           .Add({})),
      shed_(prometheus::BuildCounter()
                .Name("entrepot_http_connections_shed_total")
                .Help("Client connections closed while they waited for a request, or refused, for lack of slots")
                .Register(*registry)),
      closed_idle_(shed_.Add({{"action", "closed_idle"}})),
      refused_connections_(shed_.Add({{"action", "refused"}})) {}

void ServerMetrics::CountRefused(int code) { refused_.Add({{"code", absl::StrCat(code)}}).Increment(); }

void RequestMetrics::Count(const Finished& request) {
  const Labels labels(request.route, MethodLabel(request.method), request.status);
  auto found = handles_.find(labels);
  if (found == handles_.end()) found = handles_.emplace(labels, Find(labels)).first;
  const Handles& handles = found->second;
  handles.requests->Increment();
  handles.duration->Observe(request.seconds);
  handles.first_byte->Observe(request.first_byte_seconds);
  if (request.request_bytes > 0) handles.request_bytes->Increment(static_cast<double>(request.request_bytes));
  if (request.response_bytes > 0) handles.response_bytes->Increment(static_cast<double>(request.response_bytes));
}

RequestMetrics::Handles RequestMetrics::Find(const Labels& labels) const {
  const std::string route(std::get<0>(labels));
  const std::string method(std::get<1>(labels));
  const std::string code = absl::StrCat(std::get<2>(labels));
  return {&metrics_->requests_.Add({{"route", route}, {"method", method}, {"code", code}}),
          &metrics_->duration_.Add({{"route", route}, {"method", method}}, SecondsBuckets()),
          &metrics_->first_byte_.Add({{"route", route}, {"method", method}}, SecondsBuckets()),
          &metrics_->request_bytes_.Add({{"route", route}}), &metrics_->response_bytes_.Add({{"route", route}})};
}

absl::string_view MethodLabel(absl::string_view method) {
  for (const absl::string_view known : {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "other";
}

}  // namespace entrepot::gateway::http
