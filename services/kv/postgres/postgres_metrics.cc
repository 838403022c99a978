#include "services/kv/postgres/postgres_metrics.h"

#include <string>

namespace entrepot::kv {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Gauge(const char* name, const char* help, int64_t value) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  family.metric.emplace_back().gauge.value = static_cast<double>(value);
  return family;
}

MetricFamily Counter(const char* name, const char* help, int64_t value) {
  MetricFamily family{name, help, MetricType::Counter, {}};
  family.metric.emplace_back().counter.value = static_cast<double>(value);
  return family;
}

}  // namespace

std::vector<MetricFamily> PostgresMetrics::Collect() const {
  std::vector<MetricFamily> families = {
      Gauge("entrepot_postgres_connections_max", "Connections to PostgreSQL at most.", connections_max),
      Gauge("entrepot_postgres_connections_open", "Connections to PostgreSQL.", connections_open),
      Gauge("entrepot_postgres_connections_busy", "Connections to PostgreSQL in use.", connections_busy),
      Gauge("entrepot_postgres_connections_waiting", "Requests that wait for a connection to PostgreSQL.", waiting),
      Gauge("entrepot_postgres_locks_max", "Locks in PostgreSQL that large transactions may hold at once.", locks_max),
      Gauge("entrepot_postgres_locks_waiting", "Large transactions that wait until others hold fewer locks.",
            locks_waiting),
      Counter("entrepot_postgres_connects_total", "Connections to PostgreSQL that were made.", connects),
      Counter("entrepot_postgres_connect_failures_total", "Attempts to connect to PostgreSQL that failed.",
              connect_failures),
      Counter("entrepot_postgres_connections_lost_total", "Connections to PostgreSQL that were lost in use.",
              connections_lost),
      Counter("entrepot_postgres_refused_total",
              "Requests that got no connection to PostgreSQL, or no room for their locks, in time.", refused),
  };
  MetricFamily commits{"entrepot_postgres_unanswered_commits_total",
                       "Commits whose answer was lost, by what was found out afterwards.",
                       MetricType::Counter,
                       {}};
  const std::pair<const char*, int64_t> outcomes[] = {
      {"done", commits_found_done}, {"absent", commits_found_absent}, {"unknown", commits_unknown}};
  for (const auto& [outcome, count] : outcomes) {
    prometheus::ClientMetric& metric = commits.metric.emplace_back();
    metric.label.push_back({"outcome", outcome});
    metric.counter.value = static_cast<double>(count);
  }
  families.push_back(std::move(commits));
  return families;
}

}  // namespace entrepot::kv
