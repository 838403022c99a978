#include "services/upstream/upstream_metrics.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace entrepot::upstream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string TextOf(const prometheus::Registry& registry) {
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

TEST(UpstreamMetricsTest, CountsEachUpstream) {
  const auto registry = std::make_shared<prometheus::Registry>();
  UpstreamMetrics metrics(registry);
  metrics.Add("docker.io");
  EXPECT_THAT(TextOf(*registry),
              HasSubstr("entrepot_upstream_resolves_total{result=\"stale\",upstream=\"docker.io\"} 0"));
  EXPECT_THAT(TextOf(*registry), HasSubstr("entrepot_upstream_up{upstream=\"docker.io\"} 1"));
  metrics.CountResolve("docker.io", ResolveResult::kStale);
  metrics.CountResolve("docker.io", ResolveResult::kHit, 5);
  EXPECT_EQ(metrics.Resolves("docker.io", ResolveResult::kHit), 5u);
  EXPECT_THAT(TextOf(*registry),
              HasSubstr("entrepot_upstream_resolves_total{result=\"hit\",upstream=\"docker.io\"} 5"));
  metrics.SetUp("docker.io", false);
  EXPECT_THAT(TextOf(*registry),
              HasSubstr("entrepot_upstream_resolves_total{result=\"stale\",upstream=\"docker.io\"} 1"));
  EXPECT_THAT(TextOf(*registry), HasSubstr("entrepot_upstream_up{upstream=\"docker.io\"} 0"));
  metrics.ObserveFirstByte("docker.io", "blob", absl::Milliseconds(40));
  EXPECT_THAT(
      TextOf(*registry),
      HasSubstr(
          "entrepot_upstream_time_to_first_byte_seconds_bucket{kind=\"blob\",upstream=\"docker.io\",le=\"0.05\"} 1"));
  EXPECT_THAT(
      TextOf(*registry),
      HasSubstr(
          "entrepot_upstream_time_to_first_byte_seconds_bucket{kind=\"blob\",upstream=\"docker.io\",le=\"0.025\"} 0"));
  metrics.Remove("docker.io");
  EXPECT_THAT(TextOf(*registry), Not(HasSubstr("entrepot_upstream_up{")));
}

}  // namespace
}  // namespace entrepot::upstream
