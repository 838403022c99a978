#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_METRICS_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_METRICS_H_

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::http {

// The metrics that server/server.h lists. Thread-safe.
class ServerMetrics {
 public:
  explicit ServerMetrics(const std::shared_ptr<prometheus::Registry>& registry);

  prometheus::Gauge& in_flight() { return in_flight_; }
  prometheus::Gauge& connections() { return connections_; }
  prometheus::Gauge& connections_max() { return connections_max_; }
  // Counts connections that were closed while they waited for a request, because others needed their slots, and
  // connections that were refused.
  void CountClosedIdle() { closed_idle_.Increment(); }
  void CountRefusedConnection() { refused_connections_.Increment(); }
  // Counts a request whose header was refused.
  void CountRefused(int code);

 private:
  friend class RequestMetrics;

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& duration_;
  prometheus::Family<prometheus::Histogram>& first_byte_;
  prometheus::Family<prometheus::Counter>& request_bytes_;
  prometheus::Family<prometheus::Counter>& response_bytes_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Gauge& in_flight_;
  prometheus::Gauge& connections_;
  prometheus::Gauge& connections_max_;
  prometheus::Family<prometheus::Counter>& shed_;
  prometheus::Counter& closed_idle_;
  prometheus::Counter& refused_connections_;
};

// Counts finished requests. Caches the metric of each combination of labels, because looking one up takes a lock and
// several allocations. For one thread.
class RequestMetrics {
 public:
  struct Finished {
    absl::string_view route;
    absl::string_view method;
    int status = 0;
    double seconds = 0;
    double first_byte_seconds = 0;
    uint64_t request_bytes = 0;
    uint64_t response_bytes = 0;
  };

  explicit RequestMetrics(ServerMetrics* metrics) : metrics_(metrics) {}

  void Count(const Finished& request);

 private:
  struct Handles {
    prometheus::Counter* requests;
    prometheus::Histogram* duration;
    prometheus::Histogram* first_byte;
    prometheus::Counter* request_bytes;
    prometheus::Counter* response_bytes;
  };
  using Labels = std::tuple<absl::string_view, absl::string_view, int>;  // Route and method are literals.

  Handles Find(const Labels& labels) const;

  ServerMetrics* const metrics_;
  std::map<Labels, Handles> handles_;
};

// The method as a label: one of HTTP's common methods, otherwise "other".
absl::string_view MethodLabel(absl::string_view method);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_METRICS_H_
