#include "gateway/api/upstream/served_bytes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace entrepot::gateway::api {
namespace {

using ::testing::HasSubstr;

RepositoryName Repository(absl::string_view name) { return *RepositoryName::Parse(name); }

TEST(ServedBytesTest, CountsByUpstreamAndSource) {
  const auto registry = std::make_shared<prometheus::Registry>();
  ServedBytes served(registry);
  served.Of(Repository("docker.io/library/nginx"), ServedBytes::Source::kStored).Increment(5);
  served.Of(Repository("docker.io/team/app"), ServedBytes::Source::kStored).Increment(7);
  served.Of(Repository("docker.io/team/app"), ServedBytes::Source::kFetched).Increment(2);
  served.Of(Repository("quay.io/app"), ServedBytes::Source::kFetched).Increment(1);
  const std::string text = prometheus::TextSerializer().Serialize(registry->Collect());
  for (const char* line : {R"(served_bytes_total{source="stored",upstream="docker.io"} 12)",
                           R"(served_bytes_total{source="fetched",upstream="docker.io"} 2)",
                           R"(served_bytes_total{source="stored",upstream="quay.io"} 0)",
                           R"(served_bytes_total{source="fetched",upstream="quay.io"} 1)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace entrepot::gateway::api
