#include "services/kv/postgres/postgres_metrics.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

TEST(PostgresMetricsTest, ShowsWhatWasCounted) {
  PostgresMetrics metrics;
  metrics.connections_max = 16;
  metrics.locks_waiting = 4;
  metrics.connections_lost = 3;
  metrics.commits_found_absent = 2;
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : metrics.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      const std::string label = metric.label.empty() ? "" : "/" + metric.label[0].value;
      values[family.name + label] =
          family.type == prometheus::MetricType::Gauge ? metric.gauge.value : metric.counter.value;
    }
  }
  EXPECT_EQ(values.size(), 13u);
  EXPECT_EQ(values["entrepot_postgres_connections_max"], 16);
  EXPECT_EQ(values["entrepot_postgres_locks_waiting"], 4);
  EXPECT_EQ(values["entrepot_postgres_connections_lost_total"], 3);
  EXPECT_EQ(values["entrepot_postgres_unanswered_commits_total/absent"], 2);
  EXPECT_EQ(values["entrepot_postgres_unanswered_commits_total/done"], 0);
}

}  // namespace
}  // namespace entrepot::kv
