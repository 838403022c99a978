#include "services/upstream/exchange/registry_metrics.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

std::map<std::string, double> Values(const prometheus::Registry& registry) {
  std::map<std::string, double> values;
  for (const auto& family : registry.Collect()) {
    for (const auto& metric : family.metric) {
      std::map<std::string, std::string> labels;
      for (const auto& label : metric.label) labels[label.name] = label.value;
      values[absl::StrCat(family.name, " ", labels["upstream"], " ", labels["kind"], " ", labels["result"])] =
          metric.counter.value + metric.gauge.value;
    }
  }
  return values;
}

TEST(RegistryMetricsTest, CountsCallsByKindAndResult) {
  const auto registry = std::make_shared<prometheus::Registry>();
  RegistryMetrics metrics(registry, "docker.io");
  metrics.Count(RequestKind::kGetManifest, absl::OkStatus());
  metrics.Count(RequestKind::kGetManifest, absl::OkStatus());
  metrics.Count(RequestKind::kGetBlob, UpstreamError(UpstreamFailure::kRateLimited, ""));
  metrics.Count(RequestKind::kTags, absl::CancelledError(""));
  RegistryMetrics(registry, "docker.io").Count(RequestKind::kGetBlob, absl::ResourceExhaustedError("disk"));
  EXPECT_THAT(Values(*registry), testing::UnorderedElementsAre(
                                     testing::Pair("entrepot_upstream_requests_total docker.io manifest ok", 2),
                                     testing::Pair("entrepot_upstream_requests_total docker.io blob rate_limited", 1),
                                     testing::Pair("entrepot_upstream_requests_total docker.io tags cancelled", 1),
                                     testing::Pair("entrepot_upstream_requests_total docker.io blob aborted", 1)));
}

TEST(RegistryMetricsTest, ShowsALimitOnlyOnceItIsKnown) {
  const auto registry = std::make_shared<prometheus::Registry>();
  RegistryMetrics metrics(registry, "docker.io");
  EXPECT_THAT(Values(*registry), testing::IsEmpty());
  metrics.SetRateLimit({});
  EXPECT_THAT(Values(*registry), testing::IsEmpty());
  metrics.SetRateLimit({.limit = std::nullopt, .remaining = 7});
  EXPECT_THAT(Values(*registry),
              testing::ElementsAre(testing::Pair("entrepot_upstream_rate_limit_remaining docker.io  ", 7)));
  metrics.SetRateLimit({.limit = 100, .remaining = 6});
  EXPECT_THAT(Values(*registry),
              testing::UnorderedElementsAre(testing::Pair("entrepot_upstream_rate_limit docker.io  ", 100),
                                            testing::Pair("entrepot_upstream_rate_limit_remaining docker.io  ", 6)));
}

}  // namespace
}  // namespace entrepot::upstream
