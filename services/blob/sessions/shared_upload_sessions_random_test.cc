#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/blob/objects/shared_memory_object_store.h"
#include "services/blob/objects/tiered_object_store.h"
#include "services/blob/sessions/shared_upload_sessions.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

// The expected state of a session.
struct ModelSession {
  std::string bytes;
  std::optional<Blob> sealed;
  // Changes with each request that may have changed the session.
  int version = 0;
};

// A request whose replica is frozen: it goes on later.
struct Frozen {
  UploadId id;
  std::unique_ptr<UploadAppender> appender;
  // Of the session when it began, and with what it has appended.
  std::string base;
  std::string bytes;
  int version = 0;
};

// Sends random requests to replicas, kills and freezes some of them, and compares what the replicas have with a plain
// model. A frozen request may only succeed if no other request has used its session since.
class SharedUploadSessionsRandomTest : public testing::TestWithParam<int> {
 protected:
  static constexpr size_t kReplicas = 3;

  SharedUploadSessionsRandomTest() : random_(static_cast<unsigned>(GetParam())) {
    for (size_t i = 0; i < kReplicas; ++i) replicas_.push_back(Replica());
  }
  // Requests end before their replicas.
  ~SharedUploadSessionsRandomTest() override {
    frozen_.clear();
    killed_requests_.clear();
  }

  std::unique_ptr<SharedUploadSessions> Replica() {
    auto replica = std::make_unique<SharedUploadSessions>(SharedUploadSessions::Options{}, &kv_, &store_, &objects_,
                                                          &clock_, &metrics_);
    EXPECT_OK(replica->Recover());
    return replica;
  }

  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  bool OneIn(int n) { return Below(n) == 0; }
  SharedUploadSessions& Any() { return *replicas_[static_cast<size_t>(Below(kReplicas))]; }

  std::string RandomBytes() {
    static constexpr int kSizes[] = {0, 1, 100, 30'000, 65'536, 65'537, 100'000};
    std::string bytes(static_cast<size_t>(kSizes[Below(7)]), static_cast<char>('a' + Below(26)));
    for (size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>(Below(256));
    return bytes;
  }
  Digest DigestOf(const std::string& bytes) {
    return ComputeDigest(OneIn(4) ? DigestAlgorithm::kSha512 : DigestAlgorithm::kSha256, bytes);
  }

  using Session = std::map<UploadId, ModelSession>::iterator;
  Session Pick() {
    Session i = model_.begin();
    std::advance(i, Below(static_cast<int>(model_.size())));
    return i;
  }

  void Step() {
    switch (model_.empty() ? 0 : Below(20)) {
      case 0:
      case 1:
      case 2: {
        // Few sessions, so that requests meet.
        if (model_.size() >= 5) return Append();
        ASSERT_OK_AND_ASSIGN(const Upload upload, Any().Start(owner_, DigestAlgorithm::kSha256));
        model_.emplace(upload.id, ModelSession{});
        return;
      }
      case 3:
        return Cancel();
      case 4:
      case 5:
        return Seal();
      case 6:
        return Forget();
      case 7:
      case 8:
        return Thaw();
      case 9:
        if (OneIn(4)) KillReplica();
        return;
      case 10:
        Any().EndExpired();
        Any().RenewClaims();
        EXPECT_OK(Any().FlushForgotten());
        clock_.Advance(absl::Seconds(Below(9)));
        return;
      default:
        return Append();
    }
  }

  // What a client does if it finds the session in use: it waits.
  void WaitForClaims() { clock_.Advance(UploadClaims::kLifetime); }

  void Append() {
    const Session i = Pick();
    auto& [id, session] = *i;
    if (session.sealed.has_value()) {
      EXPECT_THAT(Any().Append(owner_, id, {}), IsOciError(OciErrorCode::kBlobUploadUnknown));
      EXPECT_OK(Any().Forget(owner_, id));
      model_.erase(i);
      return;
    }
    WaitForClaims();
    ASSERT_OK_AND_ASSIGN(const Upload before, Any().Get(owner_, id));
    ASSERT_EQ(before.offset_bytes, session.bytes.size());
    AppendOptions options;
    if (OneIn(2)) options.offset_bytes = session.bytes.size();
    SharedUploadSessions& replica = Any();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, replica.Append(owner_, id, options));
    std::string bytes = session.bytes;
    for (int pieces = Below(3); pieces > 0; --pieces) {
      const std::string piece = RandomBytes();
      ASSERT_OK(appender->Append(piece));
      bytes += piece;
    }
    ++session.version;
    if (OneIn(3)) {
      frozen_.push_back({.id = id,
                         .appender = std::move(appender),
                         .base = session.bytes,
                         .bytes = bytes,
                         .version = session.version});
      return;
    }
    End(i, *appender, bytes);
  }

  void End(Session i, UploadAppender& appender, const std::string& bytes) {
    auto& [id, session] = *i;
    if (OneIn(2)) {
      ASSERT_OK(appender.Finish());
      session.bytes = bytes;
      return;
    }
    ASSERT_OK_AND_ASSIGN(session.sealed, appender.FinishAndSeal(DigestOf(bytes)));
    session.bytes = bytes;
    objects_of_model_[session.sealed->storage_key] = bytes;
  }

  void Thaw() {
    if (frozen_.empty()) return;
    const size_t which = static_cast<size_t>(Below(static_cast<int>(frozen_.size())));
    Frozen thawed = std::move(frozen_[which]);
    frozen_.erase(frozen_.begin() + static_cast<std::ptrdiff_t>(which));
    const Session i = model_.find(thawed.id);
    if (i != model_.end() && i->second.version == thawed.version) {
      ++i->second.version;
      return End(i, *thawed.appender, thawed.bytes);
    }
    // It has been overtaken, at least by another request that froze too.
    const std::string more = RandomBytes();
    if (OneIn(2) && thawed.appender->Append(more).ok()) thawed.bytes += more;
    const bool seals = OneIn(2);
    absl::StatusOr<Blob> sealed = absl::UnknownError("not sealed");
    bool ok = false;
    if (seals) {
      sealed = thawed.appender->FinishAndSeal(DigestOf(thawed.bytes));
      ok = sealed.ok();
    } else {
      ok = thawed.appender->Finish().ok();
    }
    if (!ok || i == model_.end()) return;
    ModelSession& session = i->second;
    if (!seals && thawed.bytes == thawed.base) return;
    if (session.sealed.has_value()) {
      // Both have sealed the same bytes.
      ASSERT_TRUE(seals);
      ASSERT_TRUE(thawed.bytes == session.bytes);
      ASSERT_EQ(sealed->storage_key, session.sealed->storage_key);
      return;
    }
    // Nothing has been acknowledged since.
    ASSERT_TRUE(session.bytes == thawed.base);
    ++session.version;
    session.bytes = thawed.bytes;
    if (!seals) return;
    session.sealed = *sealed;
    objects_of_model_[sealed->storage_key] = session.bytes;
  }

  void Seal() {
    const Session i = Pick();
    auto& [id, session] = *i;
    if (session.sealed.has_value()) {
      ASSERT_OK_AND_ASSIGN(const Blob again, Any().Seal(owner_, id, session.sealed->digest));
      EXPECT_EQ(again.storage_key, session.sealed->storage_key);
      return;
    }
    WaitForClaims();
    ++session.version;
    if (OneIn(5)) {
      EXPECT_THAT(Any().Seal(owner_, id, DigestOf(session.bytes + "?")), IsOciError(OciErrorCode::kDigestInvalid));
      model_.erase(i);
      return;
    }
    ASSERT_OK_AND_ASSIGN(session.sealed, Any().Seal(owner_, id, DigestOf(session.bytes)));
    objects_of_model_[session.sealed->storage_key] = session.bytes;
  }

  void Cancel() {
    const Session i = Pick();
    if (i->second.sealed.has_value()) {
      EXPECT_THAT(Any().Cancel(owner_, i->first), IsOciError(OciErrorCode::kBlobUploadUnknown));
      return;
    }
    WaitForClaims();
    EXPECT_OK(Any().Cancel(owner_, i->first));
    EXPECT_OK(Any().Cancel(owner_, i->first));
    model_.erase(i);
  }

  void Forget() {
    const Session i = Pick();
    EXPECT_OK(Any().Forget(owner_, i->first));
    if (i->second.sealed.has_value()) model_.erase(i);
  }

  // Its requests never go on, and nothing of it is destroyed before the end.
  void KillReplica() {
    std::unique_ptr<SharedUploadSessions>& replica = replicas_[static_cast<size_t>(Below(kReplicas))];
    for (Frozen& request : frozen_) killed_requests_.push_back(std::move(request.appender));
    frozen_.clear();
    killed_.push_back(std::exchange(replica, Replica()));
  }

  void CheckAll() {
    WaitForClaims();
    for (const auto& [key, bytes] : objects_of_model_) {
      ASSERT_OK_AND_ASSIGN(const OpenObject object, objects_.Open(key));
      ASSERT_TRUE(Contents(object) == bytes) << key.ToString();
    }
    for (const auto& [id, session] : model_) {
      if (session.sealed.has_value()) continue;
      ASSERT_OK_AND_ASSIGN(const Blob sealed,
                           Any().Seal(owner_, id, ComputeDigest(DigestAlgorithm::kSha256, session.bytes)));
      ASSERT_OK_AND_ASSIGN(const OpenObject object, objects_.Open(sealed.storage_key));
      ASSERT_TRUE(Contents(object) == session.bytes);
    }
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  std::mt19937 random_;
  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  SharedMemoryObjectStore store_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  WriteGate gate_{metrics_.store_read_only()};
  KvObjectStore values_{&kv_, kv::Durability::kSynced, &metrics_};
  TieredObjectStore objects_{&store_, &values_, &gate_};
  std::vector<std::unique_ptr<SharedUploadSessions>> killed_;
  std::vector<std::unique_ptr<SharedUploadSessions>> replicas_;
  std::vector<std::unique_ptr<UploadAppender>> killed_requests_;
  std::vector<Frozen> frozen_;
  std::map<UploadId, ModelSession> model_;
  std::map<StorageKey, std::string> objects_of_model_;
};

TEST_P(SharedUploadSessionsRandomTest, BehavesLikeTheModel) {
  for (int i = 0; i < 1'000 && !HasFatalFailure(); ++i) Step();
  CheckAll();
  EXPECT_GT(objects_of_model_.size(), 10u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SharedUploadSessionsRandomTest, testing::Range(1, 6));

}  // namespace
}  // namespace entrepot::blob
