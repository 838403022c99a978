#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/retention/retention.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using v1::RetentionReport;

bool GoOn(uint64_t, uint64_t) { return true; }

class RetentionRaceTest : public CatalogTest {
 protected:
  std::vector<std::string> Tags() { return catalog_->lists().Tags(kAnonymous, a_, 10, "").value().tags; }
};

INSTANTIATE_TEST_SUITE_P(Engines, RetentionRaceTest, kv::EachTestEngine(), kv::TestEngineName);

// Retention decides by the records that it has read; they may change before the deletion. `meanwhile` is called at each
// step, so also right before each deletion.
RetentionReport ApplyWith(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog, const std::string& rules,
                          const std::function<void()>& meanwhile) {
  return Retention(kv, clock, catalog, nullptr)
      .Apply(ParseRetentionRules(rules).value(), /*dry_run=*/false,
             [&](uint64_t, uint64_t) {
               meanwhile();
               return true;
             })
      .value();
}

TEST_P(RetentionRaceTest, KeepsATagThatIsPushedMeanwhile) {
  const std::string image = PushedImage(a_, "moved");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("again", image)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("left", image)));
  const std::string other = ImageIn(a_, "other");
  clock_.Advance(absl::Hours(1));
  const RetentionReport report =
      ApplyWith(engine_->get(), &clock_, catalog_.get(), "rules: [{repositories: [a], keep: {tags: [none]}}]", [&] {
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("moved", other)));
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("again", image)));
        clock_.Advance(absl::Seconds(1));
      });
  EXPECT_EQ(report.tags(), 1u);
  EXPECT_THAT(Tags(), testing::ElementsAre("again", "moved"));
}

TEST_P(RetentionRaceTest, KeepsAManifestThatIsReferredToMeanwhile) {
  std::vector<std::string> images;
  for (const char* name : {"tagged", "listed", "pushed", "signature", "left"}) {
    images.push_back(ImageIn(a_, name, images.size() == 3 ? SubjectMember(ImageIn(a_, "subject")) : ""));
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(images.back())));
  }
  const std::string subject = ImageIn(a_, "subject");
  clock_.Advance(absl::Hours(2));
  int steps = 0;
  const RetentionReport report =
      ApplyWith(engine_->get(), &clock_, catalog_.get(), "rules: [{repositories: [a], untagged_after: 1h}]", [&] {
        // All five manifests have been read.
        if (++steps != 5) return;
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", images[0])));
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", IndexJson({images[1]}), kIndexType)));
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(images[2])));
        ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(subject)));
      });
  EXPECT_EQ(report.manifests(), 1u);
  for (size_t i = 0; i < 4; ++i) EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(images[i]), true)) << i;
  EXPECT_FALSE(catalog_->manifests().Get(kAnonymous, a_, DigestOf(images[4]), true).ok());
}

// A push that was just acknowledged must not be removed by retention that runs at the same time: nothing that is pushed
// during the test is old enough for its rules.
TEST_P(RetentionRaceTest, NeverRemovesNewPushes) {
  constexpr int kPushers = 3;
  constexpr int kRounds = 60;
  std::vector<std::string> images;
  for (int i = 0; i < 4; ++i) images.push_back(ImageIn(a_, absl::StrCat(i)));
  for (int i = 0; i < kPushers; ++i) {
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(absl::StrCat("t", i), images[0])));
  }
  std::atomic<int> pushing = kPushers;
  std::vector<std::thread> threads;
  for (int p = 0; p < kPushers; ++p) {
    threads.emplace_back([&, p] {
      const std::string tag = absl::StrCat("t", p);
      for (int round = 0; round < kRounds; ++round) {
        const std::string& image = images[(round + p) % images.size()];
        // The previous push is old by now.
        clock_.Advance(absl::Hours(2));
        EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(tag, image)));
      }
      --pushing;
    });
  }
  threads.emplace_back([&] {
    Retention retention(engine_->get(), &clock_, catalog_.get(), nullptr);
    const RetentionRules rules =
        ParseRetentionRules("rules: [{repositories: [a], keep: {pushed_within: 1h}, untagged_after: 1h}]").value();
    while (pushing > 0) EXPECT_OK(retention.Apply(rules, /*dry_run=*/false, GoOn));
  });
  for (std::thread& thread : threads) thread.join();

  // Each tag names a manifest that exists (the invariants check this too).
  for (const std::string& tag : Tags()) {
    EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed(tag), false)) << tag;
  }
  // New tags are kept.
  for (int i = 0; i < kPushers; ++i) {
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(absl::StrCat("t", i), images[i])));
  }
  ASSERT_OK(
      Retention(engine_->get(), &clock_, catalog_.get(), nullptr)
          .Apply(ParseRetentionRules("rules: [{repositories: [a], keep: {pushed_within: 1h}}]").value(), false, GoOn));
  EXPECT_EQ(Tags().size(), static_cast<size_t>(kPushers));
}

}  // namespace
}  // namespace entrepot::manifest
