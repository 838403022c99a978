#include "gateway/backends/local/local_manifest_backend.h"

#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gateway/backends/testing/manifest_backend_conformance.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/service_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class LocalUnderTest : public ManifestBackendUnderTest {
 public:
  explicit LocalUnderTest(bool cold) : stack_(cold) {}

  ManifestBackend& backend() override { return *backend_; }
  manifest::RecordingMaintenance& maintenance() override { return *stack_.maintenance(); }
  ServiceStack& stack() { return stack_; }
  runtime::Executor& executor() { return executor_; }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  std::unique_ptr<ManifestBackend> backend_ =
      MakeLocalManifestBackend(stack_.catalog(), stack_.maintenance(), &executor_, stack_.deletions());
};

INSTANTIATE_TEST_SUITE_P(Local, ManifestBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(/*cold=*/false); },
                                         [] { return std::make_unique<LocalUnderTest>(/*cold=*/true); }));

constexpr char kIndex[] = "application/vnd.oci.image.index.v1+json";
constexpr char kEmptyIndex[] =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

class LocalManifestBackendTest : public testing::Test {
 protected:
  template <typename T>
  T Run(boost::asio::awaitable<T> awaitable) {
    return RunAwaitable(context_, std::move(awaitable));
  }

  const CallContext call_{"test"};
  const RepositoryName repository_ = RepositoryName::Parse("a").value();
  const Reference tag_ = ParseReference("v1").value();
  const Blob blob_{ComputeDigest(DigestAlgorithm::kSha256, "x"), 1, StorageKey::Random(StorageTier::kFile)};
  boost::asio::io_context context_;
  LocalUnderTest under_test_{/*cold=*/true};
};

TEST_F(LocalManifestBackendTest, ReadsTheDiskOnTheExecutor) {
  ManifestBackend& backend = under_test_.backend();
  ASSERT_OK(Run(backend.CommitBlob(call_, repository_, blob_)));
  ASSERT_OK(Run(backend.PutManifest(call_, repository_, {tag_, MediaType::Parse(kIndex).value(), kEmptyIndex, {}})));
  under_test_.stack().cold_kv()->Forget();
  EXPECT_OK(Run(backend.GetManifest(call_, repository_, tag_, /*metadata_only=*/false)));
  EXPECT_OK(Run(backend.FindBlob(call_, repository_, blob_.digest)));
  EXPECT_THAT(under_test_.stack().cold_kv()->threads(), Not(IsEmpty()));
  EXPECT_THAT(under_test_.stack().cold_kv()->threads(), Not(Contains(std::this_thread::get_id())));
}

TEST_F(LocalManifestBackendTest, DeletesARepositoryWhileAllRequestThreadsAreBusy) {
  ManifestBackend& backend = under_test_.backend();
  ASSERT_OK(Run(backend.CommitBlob(call_, repository_, blob_)));
  absl::Notification leave;
  for (size_t i = 0; i < under_test_.executor().threads(); ++i) {
    under_test_.executor().Post([&] { leave.WaitForNotification(); });
  }
  EXPECT_OK(Run(backend.DeleteRepository(call_, repository_)));
  leave.Notify();
}

TEST_F(LocalManifestBackendTest, DeletionsLeaveTheRequestThreadsFree) {
  ManifestBackend& backend = under_test_.backend();
  ASSERT_OK(Run(backend.CommitBlob(call_, repository_, blob_)));
  absl::Notification leave;
  under_test_.stack().deletions()->threads().Post([&] { leave.WaitForNotification(); });
  // Each waits for the thread of deletions, and none for a thread of requests.
  std::atomic<int> done = 0;
  boost::asio::io_context others;
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(
        others,
        [](ManifestBackend& backend, CallContext call, RepositoryName repository,
           std::atomic<int>& done) -> boost::asio::awaitable<void> {
          (co_await backend.DeleteRepository(call, repository)).IgnoreError();
          ++done;
        }(backend, call_, repository_, done),
        [](std::exception_ptr) {});
  }
  others.poll();
  // Sixteen wait, and the others were refused.
  EXPECT_EQ(done, 4);
  EXPECT_OK(Run(backend.ListTags(call_, repository_, 10, "")));
  leave.Notify();
  others.run();
  EXPECT_EQ(done, 20);
}

}  // namespace
}  // namespace entrepot::gateway
