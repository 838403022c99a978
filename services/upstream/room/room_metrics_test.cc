#include "services/upstream/room/room_metrics.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace entrepot::upstream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RoomMetricsTest : public testing::Test {
 protected:
  std::string Text() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  RoomMetrics metrics_{registry_};
};

TEST_F(RoomMetricsTest, ShowsTheRoomAndTheCapOfEachUpstream) {
  metrics_.SetCap("docker.io", 1000);
  metrics_.SetRoom("docker.io", 900);
  metrics_.SetCap("quay.io", 0);
  metrics_.SetRoom("quay.io", 7);
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_room_bytes{upstream=\"docker.io\"} 900"));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_room_max_bytes{upstream=\"docker.io\"} 1000"));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_room_bytes{upstream=\"quay.io\"} 7"));
  EXPECT_THAT(Text(), Not(HasSubstr("entrepot_upstream_room_max_bytes{upstream=\"quay.io\"}")));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_evicted_bytes_total{upstream=\"quay.io\"} 0"));
  EXPECT_THAT(Text(), Not(HasSubstr("entrepot_upstream_evicted_idle_seconds{")));
}

TEST_F(RoomMetricsTest, CountsEvictions) {
  metrics_.CountEviction("docker.io", 2, 300, absl::Hours(5));
  metrics_.CountEviction("docker.io", 1, 100, absl::Seconds(90));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_evicted_images_total{upstream=\"docker.io\"} 3"));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_evicted_bytes_total{upstream=\"docker.io\"} 400"));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_evicted_idle_seconds{upstream=\"docker.io\"} 90"));
}

TEST_F(RoomMetricsTest, ForgetsAnUpstreamThatIsGone) {
  metrics_.SetCap("docker.io", 1000);
  metrics_.SetRoom("docker.io", 900);
  metrics_.CountEviction("docker.io", 1, 100, absl::Seconds(90));
  metrics_.Remove("docker.io");
  EXPECT_THAT(Text(), Not(HasSubstr("entrepot_upstream_room_bytes{")));
  EXPECT_THAT(Text(), Not(HasSubstr("entrepot_upstream_room_max_bytes{")));
  EXPECT_THAT(Text(), Not(HasSubstr("entrepot_upstream_evicted_idle_seconds{")));
  EXPECT_THAT(Text(), HasSubstr("entrepot_upstream_evicted_bytes_total{upstream=\"docker.io\"} 100"));
}

}  // namespace
}  // namespace entrepot::upstream
