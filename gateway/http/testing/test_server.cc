#include "gateway/http/testing/test_server.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "services/runtime/config/config_defaults.h"

namespace entrepot::gateway::http::testing {
namespace {

bool Carries(const prometheus::ClientMetric& metric, const std::map<std::string, std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&metric](const auto& wanted) {
    return std::any_of(metric.label.begin(), metric.label.end(), [&wanted](const auto& label) {
      return label.name == wanted.first && label.value == wanted.second;
    });
  });
}

}  // namespace

google::protobuf::Duration Milliseconds(int64_t milliseconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(milliseconds / 1000);
  duration.set_nanos(static_cast<int32_t>(milliseconds % 1000) * 1'000'000);
  return duration;
}

Server::Options TestServer::DefaultOptions() {
  Server::Options options;
  runtime::FillDefaults(&options.endpoint);
  runtime::FillDefaults(&options.limits);
  options.endpoint.set_port(0);
  options.threads = 2;
  return options;
}

TestServer::TestServer(const Server::Options& options) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options, &handler_, registry_);
  if (!server.ok()) {
    std::cerr << server.status() << "\n";
    std::abort();
  }
  server_ = *std::move(server);
}

double TestServer::Metric(const std::string& name, const std::map<std::string, std::string>& labels) const {
  double sum = -1;
  for (const prometheus::MetricFamily& family : registry_->Collect()) {
    if (family.name != name) continue;
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (!Carries(metric, labels)) continue;
      const double value = family.type == prometheus::MetricType::Histogram
                               ? static_cast<double>(metric.histogram.sample_count)
                           : family.type == prometheus::MetricType::Gauge ? metric.gauge.value
                                                                          : metric.counter.value;
      sum = std::max(sum, 0.0) + value;
    }
  }
  return sum;
}

}  // namespace entrepot::gateway::http::testing
