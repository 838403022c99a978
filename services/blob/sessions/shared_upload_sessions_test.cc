#include "services/blob/sessions/shared_upload_sessions.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/blob/objects/shared_memory_object_store.h"
#include "services/blob/objects/tiered_object_store.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }
Digest Sha512(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha512, bytes); }

AppendOptions At(uint64_t offset_bytes) {
  AppendOptions options;
  options.offset_bytes = offset_bytes;
  return options;
}

AppendOptions Last() { return {.last = true}; }

// Does something before it publishes.
class InterruptedStore : public SharedMemoryObjectStore {
 public:
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) override {
    if (const auto before = std::exchange(before_publish, nullptr)) before();
    if (!publish_status.ok()) return std::exchange(publish_status, absl::OkStatus());
    return SharedMemoryObjectStore::Publish(id, std::move(staged));
  }
  std::function<void()> before_publish;
  // What the next Publish gives, if it is an error.
  absl::Status publish_status;
};

// Three replicas over one KV and one store.
class SharedUploadSessionsTest : public testing::Test {
 protected:
  static constexpr int kReplicas = 3;

  SharedUploadSessionsTest() {
    for (int i = 0; i < kReplicas; ++i) {
      replicas_.push_back(std::make_unique<SharedUploadSessions>(
          SharedUploadSessions::Options{.limits = {.open_max = 40, .share_max = 30}}, &kv_, &store_, &objects_, &clock_,
          &metrics_));
      EXPECT_OK(replicas_.back()->Recover());
    }
  }

  SharedUploadSessions& at(int replica) { return *replicas_[static_cast<size_t>(replica)]; }

  UploadId Start(int replica, DigestAlgorithm algorithm = DigestAlgorithm::kSha256) {
    absl::StatusOr<Upload> upload = at(replica).Start(owner_, algorithm);
    EXPECT_OK(upload);
    return upload->id;
  }

  absl::StatusOr<uint64_t> Append(int replica, const UploadId& id, absl::string_view bytes,
                                  const AppendOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = at(replica).Append(owner_, id, options);
    if (!appender.ok()) return appender.status();
    if (absl::Status status = (*appender)->Append(bytes); !status.ok()) return status;
    absl::StatusOr<Upload> upload = (*appender)->Finish();
    if (!upload.ok()) return upload.status();
    return upload->offset_bytes;
  }

  // A PUT with the whole blob.
  absl::StatusOr<Blob> PutWhole(int replica, const UploadId& id, absl::string_view bytes, const Digest& digest) {
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = at(replica).Append(owner_, id, Last());
    if (absl::IsNotFound(appender.status())) return at(replica).Seal(owner_, id, digest);
    if (!appender.ok()) return appender.status();
    if (absl::Status status = (*appender)->Append(bytes); !status.ok()) return status;
    return (*appender)->FinishAndSeal(digest);
  }

  absl::StatusOr<uint64_t> OffsetOf(int replica, const UploadId& id) {
    absl::StatusOr<Upload> upload = at(replica).Get(owner_, id);
    if (!upload.ok()) return upload.status();
    return upload->offset_bytes;
  }

  void ExpectBytes(const absl::StatusOr<Blob>& sealed, const std::string& bytes) {
    ASSERT_OK(sealed);
    EXPECT_EQ(sealed->size_bytes, bytes.size());
    ASSERT_OK_AND_ASSIGN(const OpenObject object, objects_.Open(sealed->storage_key));
    EXPECT_TRUE(Contents(object) == bytes);
  }

  size_t Records() { return memory_.Scan({.prefix = "u/", .limit = 100})->size(); }
  size_t EndExpired() {
    size_t ended = 0;
    for (const auto& replica : replicas_) ended += replica->EndExpired();
    return ended;
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  const UploadOwner other_ = {.repository = owner_.repository, .account = "grace"};
  const std::string small_ = std::string(40'000, 's');
  const std::string large_ = std::string(100'000, 'l');

  FakeClock clock_;
  kv::MemoryKvEngine memory_;
  kv::FaultInjectingKvEngine kv_{&memory_};
  InterruptedStore store_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  WriteGate gate_{metrics_.store_read_only()};
  KvObjectStore values_{&kv_, kv::Durability::kSynced, &metrics_};
  TieredObjectStore objects_{&store_, &values_, &gate_};
  std::vector<std::unique_ptr<SharedUploadSessions>> replicas_;
};

TEST_F(SharedUploadSessionsTest, EachRequestMayGoToAnotherReplica) {
  const UploadId id = Start(0);
  EXPECT_THAT(Append(1, id, small_), IsOkAndHolds(40'000));
  EXPECT_THAT(OffsetOf(2, id), IsOkAndHolds(40'000));
  EXPECT_THAT(Append(2, id, large_, At(40'000)), IsOkAndHolds(140'000));
  EXPECT_THAT(Append(0, id, small_, At(140'000)), IsOkAndHolds(180'000));
  ExpectBytes(at(1).Seal(owner_, id, Sha256(small_ + large_ + small_)), small_ + large_ + small_);
  EXPECT_OK(at(2).Forget(owner_, id));
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, SmallUploadsBecomeValues) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(1, id, "go"));
  EXPECT_OK(Append(2, id, "ods"));
  ASSERT_OK_AND_ASSIGN(const Blob sealed, at(0).Seal(owner_, id, Sha256("goods")));
  EXPECT_EQ(sealed.storage_key.tier(), StorageTier::kKv);
  ExpectBytes(sealed, "goods");
}

TEST_F(SharedUploadSessionsTest, AcknowledgedBytesSurviveACrashOfTheDatabase) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start(0);
    EXPECT_THAT(Append(1, id, bytes), IsOkAndHolds(bytes.size()));
    kv_.LosePower();
    EXPECT_THAT(OffsetOf(2, id), IsOkAndHolds(bytes.size()));
    ExpectBytes(at(2).Seal(owner_, id, Sha256(bytes)), bytes);
  }
}

TEST_F(SharedUploadSessionsTest, CostsFewTransactions) {
  int64_t before = kv_.transactions();
  const UploadId small = Start(0);
  EXPECT_OK(PutWhole(1, small, small_, Sha256(small_)));
  EXPECT_OK(at(1).Forget(owner_, small));
  EXPECT_EQ(kv_.transactions() - before, 2);
  before = kv_.transactions();
  const UploadId whole = Start(0);
  // Claim, mark, result.
  EXPECT_OK(PutWhole(1, whole, large_, Sha256(large_)));
  EXPECT_EQ(kv_.transactions() - before, 4);
  before = kv_.transactions();
  const UploadId chunked = Start(0);
  // Claim, save; claim with the mark, result.
  EXPECT_OK(Append(1, chunked, large_));
  EXPECT_OK(at(2).Seal(owner_, chunked, Sha256(large_)));
  EXPECT_EQ(kv_.transactions() - before, 5);
}

TEST_F(SharedUploadSessionsTest, BelongsToItsRepositoryAndAccount) {
  const UploadId id = Start(0);
  EXPECT_THAT(at(1).Get(other_, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(at(1).Append(other_, id, {}), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(at(1).Seal(other_, id, Sha256("")), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(at(1).Cancel(other_, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_OK(at(1).Seal(owner_, id, Sha256("")));
  EXPECT_OK(at(2).Forget(other_, id));
  clock_.Advance(absl::Minutes(2));
  EXPECT_OK(at(2).FlushForgotten());
  EXPECT_OK(at(1).Seal(owner_, id, Sha256("")));
}

TEST_F(SharedUploadSessionsTest, RepeatedRequestsGetTheSameAnswerAtAnotherReplica) {
  const UploadId sealed = Start(0);
  EXPECT_OK(PutWhole(0, sealed, large_, Sha256(large_)));
  EXPECT_OK(at(0).Forget(owner_, sealed));
  for (const auto& replica : replicas_) EXPECT_OK(replica->FlushForgotten());
  ExpectBytes(PutWhole(1, sealed, large_, Sha256(large_)), large_);
  EXPECT_THAT(at(1).Seal(owner_, sealed, Sha256("other")), IsOciError(OciErrorCode::kBlobUploadUnknown));

  const UploadId cancelled = Start(0);
  EXPECT_OK(Append(1, cancelled, large_));
  EXPECT_OK(at(1).Cancel(owner_, cancelled));
  EXPECT_OK(at(2).Cancel(owner_, cancelled));
  EXPECT_THAT(OffsetOf(2, cancelled), IsOciError(OciErrorCode::kBlobUploadUnknown));

  const UploadId wrong = Start(0);
  for (const int replica : {1, 2}) {
    EXPECT_THAT(PutWhole(replica, wrong, large_, Sha256("other")), IsOciError(OciErrorCode::kDigestInvalid));
  }
  EXPECT_EQ(store_.staged_uploads(), 0u);

  clock_.Advance(SharedUploadSessions::kRemembered);
  EXPECT_EQ(EndExpired(), 0u);
  for (const auto& replica : replicas_) EXPECT_OK(replica->FlushForgotten());
  EXPECT_EQ(Records(), 0u);
  EXPECT_THAT(PutWhole(1, sealed, large_, Sha256(large_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(SharedUploadSessionsTest, ASessionOfWhichBytesAreStagedIsClaimed) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
  ASSERT_OK(appender->Append(large_));
  EXPECT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(at(1).Seal(owner_, id, Sha256("")), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(at(1).Cancel(owner_, id), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(OffsetOf(1, id), IsOkAndHolds(0));
  EXPECT_OK(appender->Finish());
  EXPECT_THAT(Append(1, id, "x"), IsOkAndHolds(large_.size() + 1));
}

TEST_F(SharedUploadSessionsTest, ARequestThatIsCutOffSavesItsBytesAndGivesTheSessionBack) {
  const UploadId id = Start(0);
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
    ASSERT_OK(appender->Append(large_));
  }
  EXPECT_THAT(OffsetOf(1, id), IsOkAndHolds(large_.size()));
  // This one has nothing to save.
  { ASSERT_OK(at(0).Append(owner_, id, {})); }
  EXPECT_THAT(Append(1, id, "x"), IsOkAndHolds(large_.size() + 1));
}

TEST_F(SharedUploadSessionsTest, ARenewedClaimKeepsTheSession) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
  ASSERT_OK(appender->Append(large_));
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(ManagedUploadSessions::kRenewalInterval);
    at(0).RenewClaims();
    ASSERT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kRangeInvalid));
  }
  EXPECT_OK(appender->Finish());
}

TEST_F(SharedUploadSessionsTest, AKilledRequestsSessionIsFreeAfterAWhile) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  // As if killed: the appender is not destroyed before the end.
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<UploadAppender> killed, at(0).Append(owner_, id, {}));
  ASSERT_OK(killed->Append(large_));
  clock_.Advance(UploadClaims::kOverdueAfter);
  EXPECT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kUnavailable));
  clock_.Advance(UploadClaims::kLifetime - UploadClaims::kOverdueAfter);
  EXPECT_THAT(Append(1, id, "x", At(large_.size())), IsOkAndHolds(large_.size() + 1));
  ExpectBytes(at(2).Seal(owner_, id, Sha256(large_ + "x")), large_ + "x");
}

TEST_F(SharedUploadSessionsTest, AFrozenRequestCannotSave) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  std::vector<std::unique_ptr<UploadAppender>> frozen;
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
    ASSERT_OK(appender->Append("frozen"));
    frozen.push_back(std::move(appender));
    clock_.Advance(UploadClaims::kLifetime);
  }
  EXPECT_THAT(Append(1, id, "good"), IsOkAndHolds(large_.size() + 4));
  EXPECT_THAT(frozen[0]->Append("more"), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(frozen[1]->Finish(), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(frozen[2]->FinishAndSeal(Sha256(large_ + "frozen")), IsOciError(OciErrorCode::kRangeInvalid));
  frozen.clear();
  EXPECT_THAT(OffsetOf(2, id), IsOkAndHolds(large_.size() + 4));
  ExpectBytes(at(2).Seal(owner_, id, Sha256(large_ + "good")), large_ + "good");
}

TEST_F(SharedUploadSessionsTest, AClaimThatEndedLastsIfNoOtherRequestTookIt) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
  ASSERT_OK(appender->Append(large_));
  clock_.Advance(absl::Minutes(5));
  ASSERT_OK(appender->Append("+"));
  EXPECT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kRangeInvalid));
  ASSERT_OK(appender->Finish());
  EXPECT_THAT(OffsetOf(1, id), IsOkAndHolds(large_.size() + 1));
}

TEST_F(SharedUploadSessionsTest, OfTwoSmallAppendsTheFirstToEndWins) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> first, at(0).Append(owner_, id, {}));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> second, at(1).Append(owner_, id, {}));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> third, at(2).Append(owner_, id, {}));
  ASSERT_OK(first->Append("first"));
  ASSERT_OK(second->Append("second"));
  EXPECT_OK(second->Finish());
  EXPECT_THAT(first->Finish(), IsOciError(OciErrorCode::kRangeInvalid));
  // It outgrows the record.
  EXPECT_THAT(third->Append(large_), IsOciError(OciErrorCode::kRangeInvalid));
  ExpectBytes(at(2).Seal(owner_, id, Sha256("second")), "second");
}

TEST_F(SharedUploadSessionsTest, TheSameWholeBlobAtTwoReplicasIsSealedOnce) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> first, at(0).Append(owner_, id, Last()));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> second, at(1).Append(owner_, id, Last()));
  ASSERT_OK(first->Append(small_));
  ASSERT_OK(second->Append(small_));
  ASSERT_OK_AND_ASSIGN(const Blob sealed, first->FinishAndSeal(Sha256(small_)));
  ASSERT_OK_AND_ASSIGN(const Blob again, second->FinishAndSeal(Sha256(small_)));
  EXPECT_EQ(again.storage_key, sealed.storage_key);
  ExpectBytes(again, small_);
}

TEST_F(SharedUploadSessionsTest, ARepeatedWholeBlobReplacesTheInterruptedOne) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start(0);
    EXPECT_OK(Append(0, id, bytes.substr(0, bytes.size() - 7), Last()));
    EXPECT_TRUE(at(1).Get(owner_, id)->whole);
    ExpectBytes(PutWhole(1, id, bytes, Sha256(bytes)), bytes);
  }
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, AReplacementThatFitsTheRecordDropsWhatWasStaged) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_, Last()));
  EXPECT_EQ(store_.staged_uploads(), 1u);
  EXPECT_THAT(Append(1, id, small_, Last()), IsOkAndHolds(small_.size()));
  EXPECT_EQ(store_.staged_uploads(), 0u);
  ExpectBytes(at(2).Seal(owner_, id, Sha256(small_)), small_);

  const UploadId sealed = Start(0);
  EXPECT_OK(Append(0, sealed, large_, Last()));
  ExpectBytes(PutWhole(1, sealed, small_, Sha256(small_)), small_);
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, ASealThatFreezesBeforeItPublishesGivesTheSameObject) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> frozen, at(0).Append(owner_, id, Last()));
  ASSERT_OK(frozen->Append(large_));
  absl::StatusOr<Blob> other = absl::UnknownError("");
  store_.before_publish = [&] {
    EXPECT_THAT(PutWhole(1, id, large_, Sha256(large_)), IsOciError(OciErrorCode::kUnavailable));
    clock_.Advance(UploadClaims::kLifetime);
    // The object may appear at any time, so no other bytes are accepted.
    EXPECT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(at(1).Seal(owner_, id, Sha256("")), IsOciError(OciErrorCode::kBlobUploadUnknown));
    const std::string others(large_.size(), 'o');
    EXPECT_THAT(PutWhole(2, id, others, Sha256(others)), IsOciError(OciErrorCode::kBlobUploadUnknown));
    other = PutWhole(1, id, large_, Sha256(large_));
  };
  const absl::StatusOr<Blob> sealed = frozen->FinishAndSeal(Sha256(large_));
  ExpectBytes(other, large_);
  ExpectBytes(sealed, large_);
  EXPECT_EQ(sealed->storage_key, other->storage_key);
}

TEST_F(SharedUploadSessionsTest, SealsAnObjectThatAKilledSealPublished) {
  for (const bool chunked : {false, true}) {
    const UploadId id = Start(0);
    if (chunked) {
      EXPECT_OK(Append(0, id, large_));
    }
    // Chunked: claim, result. Whole: claim, mark, result.
    kv_.InjectAt(chunked ? 2 : 3, kv::Fault::kFailCommit);
    EXPECT_THAT(chunked ? at(0).Seal(owner_, id, Sha256(large_)) : PutWhole(0, id, large_, Sha256(large_)),
                StatusIs(absl::StatusCode::kUnavailable));
    ExpectBytes(PutWhole(1, id, large_, Sha256(large_)), large_);
  }
}

TEST_F(SharedUploadSessionsTest, ASealThatFailedMayBeRepeated) {
  const UploadId id = Start(0);
  store_.Break(true);
  EXPECT_THAT(PutWhole(0, id, large_, Sha256(large_)), StatusIs(absl::StatusCode::kUnavailable));
  store_.Break(false);
  ExpectBytes(PutWhole(1, id, large_, Sha256(large_)), large_);
}

TEST_F(SharedUploadSessionsTest, SealsWithAnotherAlgorithm) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start(0);
    EXPECT_OK(Append(0, id, bytes));
    ExpectBytes(at(1).Seal(owner_, id, Sha512(bytes)), bytes);
    const UploadId wrong = Start(0);
    EXPECT_OK(Append(0, wrong, bytes));
    EXPECT_THAT(at(1).Seal(owner_, wrong, Sha512("other")), IsOciError(OciErrorCode::kDigestInvalid));
    EXPECT_THAT(store_.Open(StagingObjectStore::KeyOf(wrong)), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(SharedUploadSessionsTest, AnUnverifiedObjectOfAKilledSealIsVerified) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  // The claim, the mark; the bytes are published to hash them, and then the session cannot be ended.
  kv_.InjectAt(3, kv::Fault::kFailBefore);
  EXPECT_THAT(at(0).Seal(owner_, id, Sha512("other")), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(store_.Open(StagingObjectStore::KeyOf(id)));
  EXPECT_THAT(at(1).Seal(owner_, id, Sha512("other")), IsOciError(OciErrorCode::kDigestInvalid));
}

TEST_F(SharedUploadSessionsTest, AnObjectThatMayAppearUnverifiedEndsTheSession) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_, Last()));
  store_.Break(true);
  EXPECT_THAT(at(0).Seal(owner_, id, Sha512(large_)), StatusIs(absl::StatusCode::kUnavailable));
  store_.Break(false);
  EXPECT_THAT(Append(1, id, large_, Last()), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(at(1).Seal(owner_, id, Sha512(large_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(OffsetOf(2, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, BytesThatCanNeverBecomeAnObjectEndTheSession) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  store_.publish_status = absl::NotFoundError("another process has replaced a part");
  EXPECT_THAT(at(0).Seal(owner_, id, Sha256(large_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(OffsetOf(1, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, LostBytesEndTheSession) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  EXPECT_OK(store_.DiscardStaged(id, ""));
  EXPECT_THAT(Append(1, id, "x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(OffsetOf(2, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(SharedUploadSessionsTest, SharesAreCountedOverAllReplicas) {
  for (int i = 0; i < 30; ++i) Start(i % 2);
  clock_.Advance(absl::Seconds(2));
  // This replica knows none of them until it looks.
  for (int i = 0; i < 15; ++i) Start(2);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(at(2).Totals().sessions, 45u);
  for (int replica = 0; replica < kReplicas; ++replica) {
    clock_.Advance(absl::Seconds(2));
    at(replica).Totals();
    EXPECT_THAT(at(replica).Start(owner_, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
  }
  // What ends elsewhere makes room at once.
  EXPECT_EQ(at(0).CancelOpen({.account = "ada"}).cancelled, 45u);
  clock_.Advance(absl::Seconds(2));
  EXPECT_OK(at(1).Start(owner_, DigestAlgorithm::kSha256));
}

TEST_F(SharedUploadSessionsTest, AnIdleEmptySessionOfAnotherReplicaMakesRoom) {
  const UploadId idle = Start(0);
  for (int i = 0; i < 29; ++i) EXPECT_OK(Append(0, Start(0), "x"));
  clock_.Advance(SessionLimits::kEvictableAfter);
  EXPECT_EQ(at(1).Totals().sessions, 30u);
  const UploadId used = Start(1);
  EXPECT_THAT(OffsetOf(2, idle), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(OffsetOf(2, used), IsOkAndHolds(0));
  EXPECT_THAT(at(1).Start(owner_, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(SharedUploadSessionsTest, ASessionThatWasUsedMeanwhileDoesNotMakeRoom) {
  const UploadId idle = Start(0);
  for (int i = 0; i < 29; ++i) EXPECT_OK(Append(0, Start(0), "x"));
  clock_.Advance(SessionLimits::kEvictableAfter);
  at(1).Totals();
  EXPECT_OK(Append(0, idle, "used"));
  EXPECT_THAT(at(1).Start(owner_, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(OffsetOf(1, idle), IsOkAndHolds(4));
}

TEST_F(SharedUploadSessionsTest, SessionsExpireOnce) {
  const UploadId idle = Start(0);
  EXPECT_OK(Append(1, idle, large_));
  const UploadId touched = Start(0);
  clock_.Advance(absl::Hours(23));
  EXPECT_OK(Append(2, touched, "x"));
  EXPECT_EQ(EndExpired(), 0u);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(OffsetOf(2, idle), IsOciError(OciErrorCode::kBlobUploadUnknown));
  std::vector<std::thread> threads;
  std::atomic<size_t> ended = 0;
  for (const auto& replica : replicas_) threads.emplace_back([&] { ended += replica->EndExpired(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 1u);
  EXPECT_EQ(store_.staged_uploads(), 0u);
  EXPECT_THAT(OffsetOf(1, touched), IsOkAndHolds(1));
  clock_.Advance(SharedUploadSessions::kRemembered);
  EXPECT_EQ(EndExpired(), 0u);
  EXPECT_EQ(Records(), 1u);
}

TEST_F(SharedUploadSessionsTest, ASessionInUseDoesNotExpire) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
  ASSERT_OK(appender->Append(large_));
  clock_.Advance(absl::Hours(48));
  at(0).RenewClaims();
  EXPECT_EQ(EndExpired(), 0u);
  EXPECT_OK(appender->Finish());
  EXPECT_THAT(OffsetOf(1, id), IsOkAndHolds(large_.size()));
}

TEST_F(SharedUploadSessionsTest, BytesOfAnEndedSessionThatCannotBeDeletedAreDeletedLater) {
  const UploadId id = Start(0);
  EXPECT_OK(Append(0, id, large_));
  store_.Break(true);
  EXPECT_OK(at(0).Cancel(owner_, id));
  clock_.Advance(SharedUploadSessions::kRemembered);
  EndExpired();
  EXPECT_EQ(Records(), 1u);
  EXPECT_EQ(metrics_.uploads_undeleted()->Value(), 1);
  store_.Break(false);
  EndExpired();
  EXPECT_EQ(Records(), 0u);
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, AnAdministratorCancelsSessionsOfAllReplicas) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, at(0).Append(owner_, id, {}));
  ASSERT_OK(appender->Append(large_));
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(at(1).ListOpen({}, "", 10).uploads, SizeIs(1));
  EXPECT_TRUE(at(1).ListOpen({}, "", 10).uploads.front().in_use);
  EXPECT_EQ(at(1).CancelOpen({.account = "ada"}).cancelled, 1u);
  EXPECT_THAT(at(1).ListOpen({}, "", 10).uploads, IsEmpty());
  EXPECT_THAT(appender->Finish(), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(at(0).Cancel(owner_, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(SharedUploadSessionsTest, AnyReplicaListsAbandonedUploads) {
  const UploadId id = Start(0);
  ASSERT_OK_AND_ASSIGN(const Blob sealed, PutWhole(0, id, large_, Sha256(large_)));
  EXPECT_THAT(at(1).ForgetAbandoned(sealed.storage_key), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(at(1).Claim({sealed.storage_key}), IsOkAndHolds(ElementsAre(true)));
  clock_.Advance(absl::Hours(24));
  ASSERT_OK_AND_ASSIGN(const std::vector<Blob> abandoned, at(1).ListAbandoned(10));
  ASSERT_THAT(abandoned, SizeIs(1));
  EXPECT_EQ(abandoned.front().storage_key, sealed.storage_key);
  EXPECT_THAT(at(2).ListAbandoned(10), IsOkAndHolds(SizeIs(1)));
  EXPECT_OK(at(2).ForgetAbandoned(sealed.storage_key));
  EXPECT_OK(at(1).ForgetAbandoned(sealed.storage_key));
  EXPECT_THAT(at(1).ListAbandoned(10), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(Records(), 0u);
}

TEST_F(SharedUploadSessionsTest, ManyUploadsGoOnAtAllReplicasAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 25; ++i) {
    threads.emplace_back([this, i] {
      const std::string bytes = large_ + std::string(static_cast<size_t>(i), 'x');
      absl::StatusOr<Upload> upload = at(i % 3).Start(owner_, DigestAlgorithm::kSha256);
      ASSERT_OK(upload);
      ASSERT_OK(Append((i + 1) % 3, upload->id, bytes));
      ASSERT_OK(Append((i + 2) % 3, upload->id, bytes, At(bytes.size())));
      ExpectBytes(at(i % 3).Seal(owner_, upload->id, Sha256(bytes + bytes)), bytes + bytes);
      ASSERT_OK(at((i + 1) % 3).Forget(owner_, upload->id));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_.staged_uploads(), 0u);
}

TEST_F(SharedUploadSessionsTest, EveryTransactionThatFailsMayBeRepeated) {
  for (const kv::Fault fault : {kv::Fault::kFailBefore, kv::Fault::kFailCommit, kv::Fault::kLoseReply}) {
    for (const std::string& bytes : {small_, large_}) {
      // PATCH and PUT need no more than 4.
      for (int n = 1; n <= 4; ++n) {
        const UploadId id = Start(0);
        kv_.InjectAt(n, fault);
        absl::StatusOr<Blob> sealed = absl::UnknownError("");
        for (int i = 0; i < 4 && !sealed.ok(); ++i) {
          const absl::StatusOr<uint64_t> offset = OffsetOf(i % 3, id);
          if (offset.ok() && *offset < bytes.size()) {
            const absl::StatusOr<uint64_t> appended = Append(i % 3, id, bytes.substr(*offset), At(*offset));
            if (appended.ok()) sealed = at((i + 1) % 3).Seal(owner_, id, Sha256(bytes));
          } else {
            sealed = at((i + 1) % 3).Seal(owner_, id, Sha256(bytes));
          }
          clock_.Advance(UploadClaims::kLifetime);
        }
        ExpectBytes(sealed, bytes);
        kv_.Restart();
      }
    }
  }
}

}  // namespace
}  // namespace entrepot::blob
