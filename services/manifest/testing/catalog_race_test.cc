#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/postgres_test_engine.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/blob_review.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/policy/policy.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::IsEmpty;

// Reviews one blob without a grace.
absl::Status Collect(kv::KvEngine& kv, const Clock& clock, const Digest& digest) {
  ASSIGN_OR_RETURN(const auto entries, kv.Scan({.prefix = keys::Reviews(), .start_after = "", .limit = 100}));
  for (const kv::KeyValue& entry : entries) {
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry.key));
    if (!(*key.digest == digest)) continue;
    RETURN_IF_ERROR(ReviewBlob(kv, clock, {.grace = absl::ZeroDuration()}, *key.due, digest).status());
  }
  return absl::OkStatus();
}

// Few blobs, manifests, tags and repositories, so that threads often conflict.
class CatalogRaceTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  CatalogRaceTest() : engine_(GetParam().make()) {
    RegistryCatalog::Options options;
    options.lease = absl::ZeroDuration();
    options.policy = [this] { return policy_; };
    catalog_ = RegistryCatalog::Create(engine_->get(), &clock_, options).value();
    for (int i = 0; i < 4; ++i) blobs_.push_back(absl::StrCat("blob ", i));
    for (int i = 0; i < 3; ++i) {
      const std::string more = i == 0 ? "" : SubjectMember(images_[0]);
      images_.push_back(ImageJson(Upload(blobs_[i]), {Upload(blobs_[i + 1]), Upload(blobs_[(i + 2) % 4])}, more));
    }
    indexes_ = {IndexJson({images_[0], images_[1]}), IndexJson({images_[1], images_[2]})};
  }

  template <typename T>
  const T& Any(const std::vector<T>& choices, absl::BitGenRef random) {
    return choices[absl::Uniform<size_t>(random, 0, choices.size())];
  }

  // Does a random operation, and returns its status.
  absl::Status Step(absl::BitGenRef random) {
    const RepositoryName& repository = Any(repositories_, random);
    const std::string& blob = Any(blobs_, random);
    const Tag tag = TagNamed(Any(tags_, random));
    // Commits are frequent, so that often all blobs of a manifest exist although many are collected.
    switch (absl::Uniform(random, 0, 16)) {
      case 0:
      case 1:
      case 12:
      case 13:
        return catalog_->blobs().Commit(kAnonymous, repository, Upload(blob)).status();
      case 2:
        return catalog_->blobs().Mount(kAnonymous, repository, DigestOf(blob), Any(repositories_, random)).status();
      case 3:
        return catalog_->blobs().Mount(kAnonymous, repository, DigestOf(blob), std::nullopt).status();
      case 4:
        return catalog_->blobs().Unlink(kAnonymous, repository, DigestOf(blob));
      case 5:
      case 6:
        return catalog_->manifests()
            .Put(kAnonymous, repository, PutByTag(tag.ToString(), Any(images_, random)))
            .status();
      case 7:
        return catalog_->manifests()
            .Put(kAnonymous, repository, PutByTag(tag.ToString(), Any(indexes_, random), kIndexType))
            .status();
      case 8:
        return catalog_->manifests().Delete(kAnonymous, repository, tag);
      case 9:
        return catalog_->manifests().Delete(kAnonymous, repository,
                                            DigestOf(Any(absl::Bernoulli(random, 0.5) ? images_ : indexes_, random)));
      case 10:
        return ReadBack(repository, tag);
      case 11:
        // Rarely, because afterwards the repository is empty for a while.
        if (absl::Bernoulli(random, 0.75)) return ReadBack(repository, tag);
        return catalog_->repositories().Delete(kAnonymous, repository).status();
      default:
        return Collect(*engine_->get(), clock_, DigestOf(blob));
    }
  }

  absl::Status ReadBack(const RepositoryName& repository, const Tag& tag) {
    ASSIGN_OR_RETURN(const StoredManifest manifest, catalog_->manifests().Get(kAnonymous, repository, tag, false));
    if (DigestOf(manifest.content) == manifest.digest) return absl::OkStatus();
    return absl::DataLossError("other bytes than were pushed");
  }

  // Makes the tag v1 of repository "a" immutable.
  void UseRules() {
    policy_ = policy::Policy::Parse("immutable_tags: [{repositories: [a], tags: [v1]}]", "policy.yaml").value();
  }

  // Repository "a" accepts images without all their layers.
  void UseIncompleteManifests() {
    policy_ =
        policy::Policy::Parse("incomplete_manifests: [{repositories: [a], allow: [absent_layers]}]", "policy.yaml")
            .value();
  }

  // Runs `body` in each of `threads` threads.
  static void InThreads(int threads, const std::function<void(int)>& body) {
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) running.emplace_back([&body, i] { body(i); });
    for (std::thread& thread : running) thread.join();
  }

  const std::vector<RepositoryName> repositories_ = {Repo("a"), Repo("b")};
  const std::vector<std::string> tags_ = {"v1", "v2", "v3"};
  std::vector<std::string> blobs_;
  std::vector<std::string> images_;
  std::vector<std::string> indexes_;
  FakeClock clock_;
  // Set only while no threads run.
  std::shared_ptr<const policy::Policy> policy_;
  std::unique_ptr<kv::TestEngine> engine_;
  std::unique_ptr<RegistryCatalog> catalog_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CatalogRaceTest, kv::EachTestEngine(), kv::TestEngineName);
INSTANTIATE_TEST_SUITE_P(Postgres, CatalogRaceTest, testing::Values(kv::PostgresTestEngineKind()), kv::TestEngineName);

TEST_P(CatalogRaceTest, InvariantsHoldUnderConcurrentCalls) {
  constexpr int kThreads = 8;
  constexpr int kSteps = 300;
  std::atomic<int> done{0};
  InThreads(kThreads, [&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    for (int i = 0; i < kSteps; ++i) {
      const absl::Status status = Step(random);
      if (status.ok()) ++done;
      // Calls may fail only because something does not exist or is being deleted.
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status) || absl::IsUnavailable(status)) << status;
    }
  });
  EXPECT_GT(done, kThreads * kSteps / 4);
  EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
}

TEST_P(CatalogRaceTest, ConcurrentCommitsOfADigestKeepOneCopy) {
  constexpr int kThreads = 16;
  std::atomic<int> deduplicated{0};
  InThreads(kThreads, [&](int thread) {
    const absl::StatusOr<bool> result =
        catalog_->blobs().Commit(kAnonymous, repositories_[thread % 2], Upload(blobs_[0]));
    EXPECT_OK(result);
    if (result.ok() && *result) ++deduplicated;
  });
  EXPECT_EQ(deduplicated, kThreads - 1);
  EXPECT_EQ(engine_->get()->Scan({.prefix = "x/", .start_after = "", .limit = 100})->size(), kThreads - 1u);
  EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
}

TEST_P(CatalogRaceTest, APutIsRefusedOrItsBlobsAreKept) {
  constexpr int kRounds = 60;
  const RepositoryName& repository = repositories_[0];
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& blob : blobs_) ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blob)));
    bool accepted = false;
    InThreads(2, [&](int thread) {
      if (thread == 0) {
        accepted = catalog_->manifests().Put(kAnonymous, repository, PutByDigest(images_[0])).ok();
      } else {
        for (int i = 0; i < 2; ++i) EXPECT_OK(Collect(*engine_->get(), clock_, DigestOf(blobs_[1])));
      }
    });
    const absl::StatusOr<Blob> blob = catalog_->blobs().Find(kAnonymous, repository, DigestOf(blobs_[1]));
    EXPECT_EQ(blob.ok(), accepted) << blob.status();
    if (accepted) {
      ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(images_[0])));
    }
  }
}

TEST_P(CatalogRaceTest, DeletingAManifestRemovesTagsThatArriveMeanwhile) {
  constexpr int kRounds = 30;
  const RepositoryName& repository = repositories_[0];
  for (int round = 0; round < kRounds; ++round) {
    const std::string image = IndexJson({}, absl::StrCat(",\"round\":", round));
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag("v0", image, kIndexType)));
    InThreads(4, [&](int thread) {
      if (thread == 0) {
        EXPECT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(image)));
      } else {
        EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag(tags_[thread - 1], image, kIndexType)));
      }
    });
    ASSERT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
  }
}

TEST_P(CatalogRaceTest, OneOfManyPushesOfAnImmutableTagWins) {
  constexpr int kRounds = 30;
  constexpr int kThreads = 8;
  UseRules();
  const RepositoryName& repository = repositories_[0];
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> won{0};
    std::atomic<int> denied{0};
    InThreads(kThreads, [&](int thread) {
      const std::string index = IndexJson({}, absl::StrCat(",\"n\":[", round, ",", thread, "]"));
      // Each push has two tags; it writes both or none.
      ManifestPut put = PutByTag("v1", index, kIndexType);
      put.tags = {TagNamed(absl::StrCat("of-", thread))};
      const absl::Status status = catalog_->manifests().Put(kAnonymous, repository, put).status();
      ++(status.ok() ? won : denied);
      EXPECT_TRUE(status.ok() || GetOciErrorCode(status) == OciErrorCode::kDenied) << status;
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(denied, kThreads - 1);
    EXPECT_EQ(catalog_->lists().Tags(kAnonymous, repository, 100, "")->tags.size(), 2u);
    policy_ = nullptr;
    ASSERT_OK(catalog_->repositories().Delete(kAnonymous, repository));
    UseRules();
  }
  EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
}

TEST_P(CatalogRaceTest, AnImmutableTagIsRefusedOrKeepsItsBlobs) {
  constexpr int kRounds = 60;
  const RepositoryName& repository = repositories_[0];
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& blob : blobs_) ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blob)));
    UseRules();
    absl::Status pushed;
    absl::Status unlinked;
    InThreads(2, [&](int thread) {
      if (thread == 0) {
        pushed = catalog_->manifests().Put(kAnonymous, repository, PutByTag("v1", images_[0])).status();
      } else {
        unlinked = catalog_->blobs().Unlink(kAnonymous, repository, DigestOf(blobs_[1]));
      }
    });
    EXPECT_NE(pushed.ok(), unlinked.ok()) << pushed << " " << unlinked;
    EXPECT_EQ(catalog_->blobs().Find(kAnonymous, repository, DigestOf(blobs_[1])).ok(), pushed.ok());
    policy_ = nullptr;
    if (pushed.ok()) {
      ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(images_[0])));
    }
  }
}

TEST_P(CatalogRaceTest, AnImmutableTagIsRefusedOrKeepsItsChildren) {
  constexpr int kRounds = 60;
  const RepositoryName& repository = repositories_[0];
  const std::string child = IndexJson({});
  const std::string index = IndexJson({child});
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByDigest(child, kIndexType)));
    UseRules();
    absl::Status pushed;
    absl::Status deleted;
    InThreads(2, [&](int thread) {
      if (thread == 0) {
        pushed = catalog_->manifests().Put(kAnonymous, repository, PutByTag("v1", index, kIndexType)).status();
      } else {
        deleted = catalog_->manifests().Delete(kAnonymous, repository, DigestOf(child));
      }
    });
    EXPECT_NE(pushed.ok(), deleted.ok()) << pushed << " " << deleted;
    policy_ = nullptr;
    if (pushed.ok()) {
      ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(index)));
    }
  }
}

// The index of the tag lists the image before the image arrives.
TEST_P(CatalogRaceTest, AnImageThatAnImmutableTagAwaitsIsRefusedOrKeepsItsBlobs) {
  constexpr int kRounds = 60;
  const RepositoryName& repository = repositories_[0];
  const std::string index = IndexJson({images_[0]});
  for (int round = 0; round < kRounds; ++round) {
    policy_ = policy::Policy::Parse(
                  "immutable_tags: [{repositories: [a], tags: [v1]}]\n"
                  "incomplete_manifests: [{repositories: [a], allow: [absent_children]}]",
                  "policy.yaml")
                  .value();
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag("v1", index, kIndexType)));
    for (const std::string& blob : blobs_) ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blob)));
    absl::Status pushed;
    absl::Status unlinked;
    InThreads(2, [&](int thread) {
      if (thread == 0) {
        pushed = catalog_->manifests().Put(kAnonymous, repository, PutByDigest(images_[0])).status();
      } else {
        unlinked = catalog_->blobs().Unlink(kAnonymous, repository, DigestOf(blobs_[1]));
      }
    });
    EXPECT_NE(pushed.ok(), unlinked.ok()) << pushed << " " << unlinked;
    policy_ = nullptr;
    ASSERT_OK(catalog_->repositories().Delete(kAnonymous, repository));
  }
}

TEST_P(CatalogRaceTest, ALayerThatArrivesDuringThePutOfItsImageIsKept) {
  constexpr int kRounds = 60;
  UseIncompleteManifests();
  const RepositoryName& repository = repositories_[0];
  const Digest layer = DigestOf(blobs_[1]);
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blobs_[0])));
    InThreads(3, [&](int thread) {
      if (thread == 0) {
        EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByDigest(images_[0])));
      } else if (thread == 1) {
        EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blobs_[1])));
      } else {
        for (int i = 0; i < 4; ++i) EXPECT_OK(Collect(*engine_->get(), clock_, layer));
      }
    });
    ASSERT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
    // If the collector took the layer before the PUT, it arrives once more.
    if (!catalog_->blobs().Find(kAnonymous, repository, layer).ok()) {
      ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blobs_[1])));
    }
    for (int i = 0; i < 3; ++i) EXPECT_OK(Collect(*engine_->get(), clock_, layer));
    EXPECT_OK(catalog_->blobs().Find(kAnonymous, repository, layer));
    ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(images_[0])));
    for (int i = 0; i < 3; ++i) EXPECT_OK(Collect(*engine_->get(), clock_, layer));
  }
}

TEST_P(CatalogRaceTest, ALayerThatArrivesDuringTheDeletionOfItsImageIsCollected) {
  constexpr int kRounds = 60;
  UseIncompleteManifests();
  const RepositoryName& repository = repositories_[0];
  const Digest layer = DigestOf(blobs_[1]);
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blobs_[0])));
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByDigest(images_[0])));
    InThreads(3, [&](int thread) {
      if (thread == 0) {
        EXPECT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(images_[0])));
      } else if (thread == 1) {
        EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, Upload(blobs_[1])));
      } else {
        EXPECT_OK(Collect(*engine_->get(), clock_, layer));
      }
    });
    ASSERT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
    for (int i = 0; i < 3; ++i) EXPECT_OK(Collect(*engine_->get(), clock_, layer));
    EXPECT_FALSE(engine_->get()->Get(keys::Blob(layer)).value().has_value());
  }
}

TEST_P(CatalogRaceTest, APushDuringADeletionIsInTheNewRepositoryOrRefused) {
  constexpr int kRounds = 30;
  const RepositoryName& repository = repositories_[0];
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository,
                                          PutByTag(absl::StrCat("old-", i), IndexJson({}), kIndexType)));
    }
    std::atomic<int> pushed{0};
    InThreads(4, [&](int thread) {
      if (thread == 0) {
        EXPECT_OK(catalog_->repositories().Delete(kAnonymous, repository));
        return;
      }
      const Caller old{.account = "ada", .token_issued_at = clock_.Now()};
      const ManifestPut put = PutByTag(absl::StrCat("new-", thread), IndexJson({}), kIndexType);
      const absl::Status status = catalog_->manifests().Put(thread == 1 ? old : kAnonymous, repository, put).status();
      if (status.ok()) ++pushed;
      EXPECT_TRUE(status.ok() || absl::IsUnavailable(status) || absl::IsUnauthenticated(status)) << status;
    });
    const absl::StatusOr<TagPage> tags = catalog_->lists().Tags(kAnonymous, repository, 100, "");
    // All earlier tags are gone.
    const std::vector<std::string> left = tags.ok() ? tags->tags : std::vector<std::string>();
    EXPECT_LE(left.size(), static_cast<size_t>(pushed));
    for (const std::string& tag : left) EXPECT_THAT(tag, testing::StartsWith("new-"));
    EXPECT_THAT(catalog_->lists().Tags({.account = "ada", .token_issued_at = clock_.Now()}, repository, 1, ""),
                IsOciError(OciErrorCode::kUnauthorized));
    ASSERT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
  }
}

TEST_P(CatalogRaceTest, AMovingTagAlwaysNamesAManifest) {
  const RepositoryName& repository = repositories_[0];
  const std::string first = IndexJson({}, ",\"n\":1");
  const std::string second = IndexJson({}, ",\"n\":2");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag("v1", first, kIndexType)));
  std::atomic<bool> stop{false};
  InThreads(3, [&](int thread) {
    if (thread > 0) {
      while (!stop) EXPECT_OK(ReadBack(repository, TagNamed("v1")));
      return;
    }
    // The tag moves to the other manifest, and the previous manifest is deleted.
    for (int i = 0; i < 100; ++i) {
      const bool odd = i % 2 == 1;
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag("v1", odd ? first : second, kIndexType)));
      EXPECT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(odd ? second : first)));
    }
    stop = true;
  });
}

TEST_P(CatalogRaceTest, PushesOfSharedBlobsDoNotStarveDeletes) {
  constexpr int kRounds = 10;
  const RepositoryName& repository = repositories_[0];
  const RepositoryName& other = repositories_[1];
  const Blob base = Upload(blobs_[0]);
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, repository, base));
  const auto image = [&](int thread, int i) {
    return ImageJson(base, {base}, absl::StrCat(",\"n\":[", thread, ",", i, "]"));
  };
  std::atomic<bool> stop{false};
  InThreads(9, [&](int thread) {
    for (int i = 0; thread > 0 && !stop; ++i) {
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByDigest(image(thread, i))));
    }
    for (int i = 0; thread == 0 && i < kRounds; ++i) {
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByDigest(image(thread, i))));
      EXPECT_OK(catalog_->manifests().Delete(kAnonymous, repository, DigestOf(image(thread, i))));
      EXPECT_OK(catalog_->blobs().Mount(kAnonymous, other, base.digest, repository));
      EXPECT_OK(catalog_->blobs().Unlink(kAnonymous, other, base.digest));
      EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, other, Upload(blobs_[0])), IsOkAndHolds(true));
    }
    if (thread == 0) stop = true;
  });
  EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace entrepot::manifest
