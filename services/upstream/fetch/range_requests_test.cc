#include "services/upstream/fetch/range_requests.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

class RangeRequestsTest : public ::testing::Test {
 protected:
  RangeRequestsTest() { upstream_->HoldAt(digest_, 10); }
  ~RangeRequestsTest() override { requests_.End(); }

  std::shared_ptr<RangeRequest> Start(const std::string& upstream) {
    return requests_.Start(upstream, {.upstream = upstream_,
                                      .name_at_upstream = "team/app",
                                      .digest = digest_,
                                      .offset_bytes = 10,
                                      .end_bytes = 20});
  }

  const std::shared_ptr<FakeUpstreamRegistry> upstream_ = std::make_shared<FakeUpstreamRegistry>();
  const Digest digest_ = upstream_->AddBlob("team/app", std::string(100, 'x'));
  RangeRequests requests_{4};
};

TEST_F(RangeRequestsTest, RunsFewAndHalfOfThemForOneUpstream) {
  EXPECT_NE(Start("a.example"), nullptr);
  EXPECT_NE(Start("a.example"), nullptr);
  EXPECT_EQ(Start("a.example"), nullptr);
  EXPECT_NE(Start("b.example"), nullptr);
  const std::shared_ptr<RangeRequest> last = Start("b.example");
  EXPECT_NE(last, nullptr);
  EXPECT_EQ(Start("c.example"), nullptr);
  upstream_->Release(digest_);
  EXPECT_TRUE(Eventually([&] { return Start("c.example") != nullptr; }));
  char bytes[20];
  EXPECT_TRUE(Eventually([&] { return last->Read(10, bytes, sizeof(bytes)) == 10; }));
}

TEST_F(RangeRequestsTest, StopEndsThem) {
  EXPECT_NE(Start("a.example"), nullptr);
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest_); }));
  requests_.Stop();
  EXPECT_TRUE(upstream_->stopped());
  EXPECT_EQ(Start("b.example"), nullptr);
  // Returns.
  requests_.End();
}

}  // namespace
}  // namespace entrepot::upstream
