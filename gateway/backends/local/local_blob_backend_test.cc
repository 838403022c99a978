#include "gateway/backends/local/local_blob_backend.h"

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gateway/backends/testing/blob_backend_conformance.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/service_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_stack.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class LocalUnderTest : public BlobBackendUnderTest {
 public:
  explicit LocalUnderTest(bool cold) : stack_(cold) {}

  BlobBackend& backend() override { return *backend_; }
  ServiceStack& stack() { return stack_; }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  std::unique_ptr<BlobBackend> backend_ = MakeLocalBlobBackend(
      stack_.blobs(), {.requests = &executor_, .large_objects = &executor_, .long_calls = &executor_});
};

INSTANTIATE_TEST_SUITE_P(Local, BlobBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(/*cold=*/false); },
                                         [] { return std::make_unique<LocalUnderTest>(/*cold=*/true); }));

class LocalBlobBackendTest : public testing::Test {
 protected:
  template <typename T>
  T Run(boost::asio::awaitable<T> awaitable) {
    return RunAwaitable(context_, std::move(awaitable));
  }

  // The threads that waited for the KV since the last Forget().
  std::set<std::thread::id> Threads() { return under_test_.stack().cold_kv()->threads(); }

  const CallContext call_{"test"};
  const RepositoryName repository_ = RepositoryName::Parse("a").value();
  boost::asio::io_context context_;
  LocalUnderTest under_test_{/*cold=*/true};
  BlobBackend& backend_ = under_test_.backend();
};

TEST_F(LocalBlobBackendTest, ReadsASmallObjectOnTheExecutor) {
  const std::string bytes(10'000, 'x');
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
  ASSERT_OK_AND_ASSIGN(const Upload upload, Run(backend_.StartUpload(call_, repository_, DigestAlgorithm::kSha256)));
  ASSERT_OK_AND_ASSIGN(const auto stream, Run(backend_.AppendToUpload(call_, repository_, upload.id, {})));
  ASSERT_OK(Run(stream->Append(bytes)));
  ASSERT_OK_AND_ASSIGN(const Blob blob, Run(stream->FinishAndSeal(digest)));
  under_test_.stack().cold_kv()->Forget();
  EXPECT_OK(Run(backend_.ReadObject(call_, blob, {0, blob.size_bytes}, BlobBackend::kReadMemoryBytes, false)));
  EXPECT_THAT(Threads(), Not(IsEmpty()));
  EXPECT_THAT(Threads(), Not(Contains(std::this_thread::get_id())));
}

TEST_F(LocalBlobBackendTest, SavesTheSessionOfAFailedAppendOnTheExecutor) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, Run(backend_.StartUpload(call_, repository_, DigestAlgorithm::kSha256)));
  const std::string first(100'000, 'x');
  {
    ASSERT_OK_AND_ASSIGN(const auto stream, Run(backend_.AppendToUpload(call_, repository_, upload.id, {})));
    ASSERT_OK(Run(stream->Append(first)));
    ASSERT_OK(Run(stream->Finish()));
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto stream, Run(backend_.AppendToUpload(call_, repository_, upload.id, {})));
    // So many bytes that the session is saved on the way. It must be saved again when the append fails.
    ASSERT_OK(Run(stream->Append(std::string(17 << 20, 'y'))));
    under_test_.stack().system_calls()->Fail(blob::FaultySystemCalls::Call::kWrite, ENOSPC);
    under_test_.stack().cold_kv()->Forget();
    const absl::Status failed = Run(stream->Append("z"));
    EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(Run(stream->Append("z")), failed);
    EXPECT_EQ(Run(stream->Finish()).status(), failed);
  }
  EXPECT_THAT(Threads(), Not(IsEmpty()));
  EXPECT_THAT(Threads(), Not(Contains(std::this_thread::get_id())));
  under_test_.stack().system_calls()->Heal();
  ASSERT_OK_AND_ASSIGN(const Upload rolled_back, Run(backend_.GetUpload(call_, repository_, upload.id)));
  EXPECT_EQ(rolled_back.offset_bytes, first.size());
}

TEST_F(LocalBlobBackendTest, ReadsUploadsOfAnEarlierRunBackOnThreadsOfTheirOwn) {
  const kv::TemporaryDirectory directory;
  kv::MemoryKvEngine kv;
  FakeClock clock;
  blob::BlobStackOptions options;
  options.directory = directory.path();
  runtime::FillDefaults(&options.uploads);
  const auto open = [&] {
    return blob::BlobStack::Open(options, {&kv, &clock, std::make_shared<prometheus::Registry>()}).value();
  };
  std::unique_ptr<blob::BlobStack> stack = open();
  const UploadOwner owner{.repository = repository_, .account = ""};
  const std::string bytes(100'000, 'x');
  const Upload upload = stack->upload_sessions().Start(owner, DigestAlgorithm::kSha256).value();
  {
    const auto appender = stack->upload_sessions().Append(owner, upload.id, {}).value();
    ASSERT_OK(appender->Append(bytes));
    ASSERT_OK(appender->Finish());
  }
  EXPECT_FALSE(stack->upload_sessions().MustReadBack(upload.id));
  stack.reset();
  stack = open();
  EXPECT_TRUE(stack->upload_sessions().MustReadBack(upload.id));

  // Each thread for requests is busy.
  runtime::Executor executor(1);
  runtime::Executor long_calls(1);
  const std::unique_ptr<BlobBackend> backend =
      MakeLocalBlobBackend(stack.get(), {.requests = &executor, .large_objects = &executor, .long_calls = &long_calls});
  absl::Notification leave;
  executor.Post([&] { leave.WaitForNotification(); });
  ASSERT_OK_AND_ASSIGN(const Upload found, Run(backend->GetUpload(call_, repository_, upload.id)));
  EXPECT_EQ(found.offset_bytes, bytes.size());
  EXPECT_FALSE(stack->upload_sessions().MustReadBack(upload.id));
  leave.Notify();
}

TEST_F(LocalBlobBackendTest, LargeObjectsKeepNoThreadFromSmallOnes) {
  // A small object must be read from the disk.
  ServiceStack stack(/*cold=*/true);
  const auto push = [&](const std::string& bytes) {
    blob::UploadSessions& sessions = stack.blobs()->upload_sessions();
    const UploadOwner owner{.repository = repository_, .account = ""};
    const Upload upload = sessions.Start(owner, DigestAlgorithm::kSha256).value();
    const auto appender = sessions.Append(owner, upload.id, {}).value();
    EXPECT_OK(appender->Append(bytes));
    return appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes)).value();
  };
  const Blob small = push(std::string(1'000, 'x'));
  const Blob large = push(std::string(100'000, 'x'));

  runtime::Executor requests(1);
  runtime::Executor large_objects(1);
  runtime::Executor long_calls(1);
  const std::unique_ptr<BlobBackend> backend = MakeLocalBlobBackend(
      stack.blobs(), {.requests = &requests, .large_objects = &large_objects, .long_calls = &long_calls});
  absl::Notification leave;
  large_objects.Post([&] { leave.WaitForNotification(); });
  ASSERT_OK_AND_ASSIGN(const Upload upload, Run(backend->StartUpload(call_, repository_, DigestAlgorithm::kSha256)));
  EXPECT_OK(Run(backend->GetUpload(call_, repository_, upload.id)));
  const auto read = [&](const Blob& blob) {
    return Run(backend->ReadObject(call_, blob, {0, blob.size_bytes}, BlobBackend::kReadMemoryBytes, false));
  };
  EXPECT_OK(read(small));
  leave.Notify();
  EXPECT_OK(read(large));
}

}  // namespace
}  // namespace entrepot::gateway
