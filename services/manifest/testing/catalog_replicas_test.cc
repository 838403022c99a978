#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/failpoint/failpoint_control.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two processes that write the same records.
class ReplicasTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  ReplicasTest() : engine_(GetParam().make()), first_(Open()), second_(Open()) {}
  void TearDown() override { EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty())); }

  std::unique_ptr<RegistryCatalog> Open() {
    RegistryCatalog::Options options;
    options.shared = true;
    return RegistryCatalog::Create(engine_->get(), &clock_, options).value();
  }
  Caller WithToken() const { return {.account = "ada", .token_issued_at = clock_.Now()}; }

  std::string PushedImage(RegistryCatalog& catalog, absl::string_view tag) {
    const Blob config = Upload("config");
    const Blob layer = Upload("layer");
    EXPECT_OK(catalog.blobs().Commit(kAnonymous, a_, config));
    EXPECT_OK(catalog.blobs().Commit(kAnonymous, a_, layer));
    std::string image = ImageJson(config, {layer});
    EXPECT_OK(catalog.manifests().Put(kAnonymous, a_, PutByTag(tag, image)));
    return image;
  }
  // The statuses of all kinds of reads.
  std::vector<absl::Status> Reads(RegistryCatalog& catalog, const Caller& caller, const std::string& image) {
    return {catalog.manifests().Get(caller, a_, TagNamed("v1"), false).status(),
            catalog.manifests().Get(caller, a_, DigestOf(image), true).status(),
            catalog.blobs().Find(caller, a_, DigestOf("layer")).status(),
            catalog.blobs().LookUp(caller, a_, DigestOf("layer")).status(),
            catalog.lists().Tags(caller, a_, 10, "").status(),
            catalog.lists().Referrers(caller, a_, DigestOf(image), "", 10, "").status()};
  }
  static void ExpectAll(const std::vector<absl::Status>& statuses, OciErrorCode code) {
    for (size_t i = 0; i < statuses.size(); ++i) EXPECT_THAT(statuses[i], IsOciError(code)) << i;
  }
  // Does something once while a deletion stands still after its first step.
  template <typename Function>
  void DuringDeletion(const Function& function) {
    bool done = false;
    const ScopedFailpoints failpoints([&](absl::string_view name) {
      if (name == "manifest.delete_repository.hidden" && !done) {
        done = true;
        function();
      }
      return absl::OkStatus();
    });
    EXPECT_OK(first_->repositories().Delete(kAnonymous, a_));
    EXPECT_TRUE(done);
  }

  const RepositoryName a_ = Repo("a");
  FakeClock clock_;
  const std::unique_ptr<kv::TestEngine> engine_;
  const std::unique_ptr<RegistryCatalog> first_;
  const std::unique_ptr<RegistryCatalog> second_;
};

INSTANTIATE_TEST_SUITE_P(Engines, ReplicasTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(ReplicasTest, WhatOneAcknowledgedTheOtherServes) {
  const std::string image = PushedImage(*first_, "v1");
  for (const absl::Status& status : Reads(*second_, WithToken(), image)) EXPECT_OK(status);
  EXPECT_THAT(second_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("v1"));
  EXPECT_THAT(second_->lists().Repositories(10, "", {"**"})->repositories, ElementsAre("a"));
}

TEST_P(ReplicasTest, ATokenThatIsOlderThanADeletionIsRefusedByBoth) {
  PushedImage(*first_, "v1");
  const Caller old = WithToken();
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(first_->repositories().Delete(kAnonymous, a_));
  clock_.Advance(absl::Seconds(1));
  const std::string image = PushedImage(*first_, "v1");
  ExpectAll(Reads(*first_, old, image), OciErrorCode::kUnauthorized);
  ExpectAll(Reads(*second_, old, image), OciErrorCode::kUnauthorized);
  for (const absl::Status& status : Reads(*second_, WithToken(), image)) EXPECT_OK(status);
}

TEST_P(ReplicasTest, ADeletionUnderWayHidesTheContentFromBoth) {
  const std::string image = PushedImage(*first_, "v1");
  DuringDeletion([&] {
    ExpectAll(Reads(*second_, kAnonymous, image), OciErrorCode::kNameUnknown);
    EXPECT_THAT(second_->lists().Repositories(10, "", {"**"})->repositories, IsEmpty());
  });
}

TEST_P(ReplicasTest, BothMayDeleteARepositoryAtOnce) {
  PushedImage(*first_, "v1");
  DuringDeletion([&] {
    const absl::StatusOr<RepositoryDeletion> deletion = second_->repositories().Delete(kAnonymous, a_);
    ASSERT_OK(deletion);
    EXPECT_EQ(deletion->manifests, 1u);
    EXPECT_EQ(deletion->blobs, 2u);
  });
  EXPECT_THAT(first_->repositories().Delete(kAnonymous, a_), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(ReplicasTest, APushToTheOtherOneFinishesADeletionAndIsNotDeleted) {
  PushedImage(*first_, "v1");
  std::string image;
  DuringDeletion([&] { image = PushedImage(*second_, "v2"); });
  EXPECT_THAT(first_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("v2"));
  EXPECT_OK(first_->manifests().Get(kAnonymous, a_, DigestOf(image), false));
  EXPECT_OK(first_->blobs().Find(kAnonymous, a_, DigestOf("layer")));
}

}  // namespace
}  // namespace entrepot::manifest
