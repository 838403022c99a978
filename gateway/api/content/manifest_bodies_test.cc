#include "gateway/api/content/manifest_bodies.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gateway/api/request/error_response.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

constexpr size_t kMib = size_t{1} << 20;

class ManifestBodiesTest : public testing::Test {
 protected:
  absl::StatusOr<Body> Make(const std::string& content, const std::string& address = "192.0.2.1") {
    http::Request request;
    request.memory = &budget_;
    request.remote_address = address;
    return bodies_.Make(request, ComputeDigest(DigestAlgorithm::kSha256, content), content);
  }
  SharedBytes Shared(const std::string& content) { return std::get<SharedBytes>(Make(content).value()); }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  http::MemoryBudget budget_{16 * kMib, registry_};
  ManifestBodies bodies_;
};

TEST_F(ManifestBodiesTest, SharesTheBytesOfALargeManifest) {
  const std::string content(3 * kMib, 'x');
  const SharedBytes first = Shared(content);
  EXPECT_EQ(*first, content);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Shared(content), first);
  EXPECT_NE(Shared(std::string(kMib, 'y')), first);
}

TEST_F(ManifestBodiesTest, KeepsNothingOfAManifestThatWasSent) {
  const std::string content(3 * kMib, 'x');
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Shared(content).use_count(), 1);
}

TEST_F(ManifestBodiesTest, LeavesSmallManifestsAlone) {
  const std::string content(16 * 1024, 'x');
  EXPECT_EQ(std::get<std::string>(Make(content).value()), content);
}

TEST_F(ManifestBodiesTest, RefusesManifestsForWhichThereIsNoMemory) {
  const SharedBytes one = Shared(std::string(3 * kMib, '1'));
  EXPECT_EQ(ErrorResponse(Make(std::string(2 * kMib, '2')).status(), "id").status, 503);
  EXPECT_OK(Make(*one)) << "the bytes are there already";
  EXPECT_OK(Make(std::string(2 * kMib, '2'), "192.0.2.2"));
}

TEST_F(ManifestBodiesTest, ForgetsTheManifestsThatWereSent) {
  std::vector<SharedBytes> kept;
  for (int i = 0; i < 1000; ++i) {
    const SharedBytes bytes = Shared(absl::StrCat(std::string(20'000, 'x'), i));
    if (i % 10 == 0) kept.push_back(bytes);
  }
  for (const SharedBytes& bytes : kept) EXPECT_EQ(Shared(*bytes), bytes);
}

}  // namespace
}  // namespace entrepot::gateway::api
