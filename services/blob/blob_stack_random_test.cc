#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_stack.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Call = FaultySystemCalls::Call;

// The expected state of a session.
struct ModelSession {
  UploadOwner owner;
  std::string bytes;
  // Set once it is sealed.
  std::optional<Blob> sealed;
  // Whether its staged bytes were damaged while the service was down.
  bool damaged = false;
};

// Sends random requests, faults and restarts to the stack on files and the real KV, and compares it with a plain model.
class BlobStackRandomTest : public testing::TestWithParam<int> {
 protected:
  BlobStackRandomTest() : random_(GetParam()) { Open(); }

  void Open() {
    kv_ = *kv::KvStack::Open(directory_.path() + "/kv", std::make_shared<prometheus::Registry>());
    BlobStackOptions options;
    options.directory = BlobsPath();
    runtime::FillDefaults(&options.uploads);
    options.object_durability = kv::Durability::kBuffered;
    options.upkeep_interval = absl::Hours(1);
    BlobStackParts parts;
    parts.kv = kv_->engine();
    parts.clock = &clock_;
    parts.registry = std::make_shared<prometheus::Registry>();
    parts.system_calls = &calls_;
    absl::StatusOr<std::unique_ptr<BlobStack>> stack = BlobStack::Open(options, parts);
    ASSERT_OK(stack);
    stack_ = *std::move(stack);
  }

  void Close() {
    stack_.reset();
    kv_.reset();
  }

  std::string BlobsPath() const { return directory_.path() + "/blobs"; }
  UploadSessions& sessions() { return stack_->upload_sessions(); }

  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  bool OneIn(int n) { return Below(n) == 0; }

  std::string RandomBytes() {
    static constexpr int kSizes[] = {0, 1, 100, 4'096, 30'000, 65'536, 65'537, 200'000};
    std::string bytes(static_cast<size_t>(kSizes[Below(8)]), static_cast<char>('a' + Below(26)));
    for (size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>(Below(256));
    return bytes;
  }

  Digest DigestOf(const std::string& bytes) {
    return ComputeDigest(OneIn(4) ? DigestAlgorithm::kSha512 : DigestAlgorithm::kSha256, bytes);
  }

  void Step() {
    switch (model_.empty() ? 0 : Below(20)) {
      case 0:
      case 1:
      case 2:
        return Start();
      case 3:
        return Cancel();
      case 4:
        return Forget();
      case 5:
        if (OneIn(4)) Restart();
        return;
      case 6:
      case 7:
      case 8:
        return Seal();
      case 9:
        return AppendOnFullDisk();
      case 10:
        return Read();
      default:
        return Append();
    }
  }

  std::map<UploadId, ModelSession>::iterator Pick() {
    auto i = model_.begin();
    std::advance(i, Below(static_cast<int>(model_.size())));
    return i;
  }

  void Start() {
    const UploadOwner owner = {.repository = *RepositoryName::Parse(OneIn(2) ? "team/app" : "team/other"),
                               .account = OneIn(2) ? "ada" : ""};
    ASSERT_OK_AND_ASSIGN(const Upload upload, sessions().Start(owner, DigestAlgorithm::kSha256));
    ASSERT_FALSE(model_.contains(upload.id));
    model_.emplace(upload.id, ModelSession{.owner = owner, .bytes = "", .sealed = {}});
  }

  // If the session is no longer open to appends, checks that and returns true.
  bool IsOver(std::map<UploadId, ModelSession>::iterator i) {
    const auto& [id, session] = *i;
    if (!session.sealed.has_value() && !session.damaged) return false;
    EXPECT_THAT(sessions().Append(session.owner, id, {}), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(sessions().Get(session.owner, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
    if (session.damaged) model_.erase(i);
    return true;
  }

  void Append() {
    const auto i = Pick();
    if (IsOver(i)) return;
    auto& [id, session] = *i;
    AppendOptions options;
    if (OneIn(2)) options.offset_bytes = session.bytes.size();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions().Append(session.owner, id, options));
    for (int pieces = Below(4); pieces > 0; --pieces) {
      const std::string bytes = RandomBytes();
      ASSERT_OK(appender->Append(bytes));
      session.bytes += bytes;
    }
    if (OneIn(3)) return Finish(i, *appender);
    if (OneIn(2)) appender.reset();  // As if the client left.
  }

  void Finish(std::map<UploadId, ModelSession>::iterator i, UploadAppender& appender) {
    auto& [id, session] = *i;
    if (OneIn(2)) {
      ASSERT_OK_AND_ASSIGN(const Upload upload, appender.Finish());
      EXPECT_EQ(upload.offset_bytes, session.bytes.size());
      return;
    }
    ASSERT_OK_AND_ASSIGN(session.sealed, appender.FinishAndSeal(DigestOf(session.bytes)));
    objects_[session.sealed->storage_key] = session.bytes;
  }

  void AppendOnFullDisk() {
    const auto i = Pick();
    if (IsOver(i)) return;
    auto& [id, session] = *i;
    const size_t before = session.bytes.size();
    calls_.LimitWrites(size_t{1} + Below(50'000));
    calls_.Fail(Call::kWrite, ENOSPC, /*skip=*/Below(5));
    {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions().Append(session.owner, id, {}));
      const std::string bytes = RandomBytes() + RandomBytes();
      session.bytes += bytes;
      if (absl::Status status = appender->Append(bytes); !status.ok()) {
        EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
      }
    }
    calls_.Heal();
    calls_.LimitWrites(std::numeric_limits<size_t>::max());
    ASSERT_OK_AND_ASSIGN(const Upload upload, sessions().Get(session.owner, id));
    EXPECT_GE(upload.offset_bytes, before);
    EXPECT_LE(upload.offset_bytes, session.bytes.size());
    session.bytes.resize(upload.offset_bytes);
  }

  void Seal() {
    const auto i = Pick();
    auto& [id, session] = *i;
    if (session.sealed.has_value()) {
      ASSERT_OK_AND_ASSIGN(const Blob again, sessions().Seal(session.owner, id, session.sealed->digest));
      EXPECT_EQ(again.storage_key, session.sealed->storage_key);
      EXPECT_EQ(again.size_bytes, session.bytes.size());
      return;
    }
    const bool right = !OneIn(6);
    const Digest digest = DigestOf(right ? session.bytes : session.bytes + "?");
    absl::StatusOr<Blob> sealed = sessions().Seal(session.owner, id, digest);
    if (session.damaged || !right) {
      EXPECT_THAT(sealed,
                  IsOciError(session.damaged ? OciErrorCode::kBlobUploadUnknown : OciErrorCode::kDigestInvalid));
      model_.erase(i);
      return;
    }
    ASSERT_OK(sealed);
    EXPECT_EQ(sealed->digest, digest);
    EXPECT_EQ(sealed->size_bytes, session.bytes.size());
    EXPECT_TRUE(objects_.emplace(sealed->storage_key, session.bytes).second);
    session.sealed = *std::move(sealed);
  }

  void Cancel() {
    const auto i = Pick();
    const auto& [id, session] = *i;
    if (session.sealed.has_value()) {
      EXPECT_THAT(sessions().Cancel(session.owner, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
      return;
    }
    EXPECT_OK(sessions().Cancel(session.owner, id));
    model_.erase(i);
  }

  void Forget() {
    const auto i = Pick();
    const auto& [id, session] = *i;
    EXPECT_OK(sessions().Forget(session.owner, id));
    if (session.sealed.has_value()) model_.erase(i);
  }

  void Read() {
    for (const auto& [key, bytes] : objects_) {
      ASSERT_OK_AND_ASSIGN(const OpenObject object, stack_->objects().Open(key));
      ASSERT_TRUE(Contents(object) == bytes) << key.ToString();
    }
  }

  void Restart() {
    Close();
    for (auto& [id, session] : model_) {
      const std::string path = absl::StrCat(BlobsPath(), "/staging/", id.ToString());
      // A smaller upload may still be in the record, beside a staged file that a full disk left.
      if (session.bytes.size() > KvObjectStore::kObjectBytesMax && !session.sealed.has_value() && !session.damaged &&
          OneIn(3)) {
        Tear(path, session);
      }
    }
    Open();
    std::set<std::string> open;
    for (const auto& [id, session] : model_) {
      if (!session.sealed.has_value()) open.insert(id.ToString());
    }
    for (const auto& entry : std::filesystem::directory_iterator(BlobsPath() + "/staging")) {
      EXPECT_TRUE(open.contains(entry.path().filename().string())) << entry.path();
    }
  }

  // Changes a staged file as a power cut, or a crash after the last save, may.
  void Tear(const std::string& path, ModelSession& session) {
    ASSERT_GE(std::filesystem::file_size(path), session.bytes.size());
    const size_t middle = session.bytes.size() / 2;
    switch (Below(3)) {
      case 0:
        std::ofstream(path, std::ios::app) << "written after the last save";
        return;
      case 1:
        std::filesystem::resize_file(path, middle);
        break;
      default:
        std::fstream(path, std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(middle))
            << static_cast<char>(session.bytes[middle] ^ 1);
    }
    session.damaged = true;
  }

  std::mt19937 random_;
  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  FaultySystemCalls calls_;
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<BlobStack> stack_;
  std::map<UploadId, ModelSession> model_;
  std::map<StorageKey, std::string> objects_;
};

TEST_P(BlobStackRandomTest, BehavesLikeTheModel) {
  for (int i = 0; i < 1'000 && !HasFatalFailure(); ++i) Step();
  Read();
  EXPECT_GT(objects_.size(), 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BlobStackRandomTest, testing::Range(1, 5));

}  // namespace
}  // namespace entrepot::blob
