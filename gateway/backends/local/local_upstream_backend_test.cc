#include "gateway/backends/local/local_upstream_backend.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/synchronization/notification.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "gateway/backends/testing/read_body.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/upstream_backend_conformance.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

class LocalUnderTest : public UpstreamBackendUnderTest {
 public:
  UpstreamBackend& backend() override { return *backend_; }
  ScriptedCache& cache() override { return cache_; }
  RecordingManagement& management() override { return management_; }

 private:
  ScriptedCache cache_;
  RecordingManagement management_;
  runtime::Executor calls_{1};
  runtime::Executor reads_{1};
  std::unique_ptr<UpstreamBackend> backend_ = MakeLocalUpstreamBackend(&cache_, &management_, &calls_, &reads_);
};

INSTANTIATE_TEST_SUITE_P(Local, UpstreamBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(); }));

class LocalUpstreamBackendTest : public testing::Test {
 protected:
  const CallContext call_{"test"};
  const RepositoryName repository_ = RepositoryName::Parse("docker.io/library/nginx").value();
  const Digest digest_ = ComputeDigest(DigestAlgorithm::kSha256, "abc");
  const std::shared_ptr<ScriptedFetch> fetch_ = std::make_shared<ScriptedFetch>();
  LocalUnderTest under_test_;
};

// One upstream of it hangs until it is released.
class HangingCache : public ScriptedCache {
 public:
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t, absl::string_view) override {
    if (repository.ToString() == "hangs.example/team/app") released_.WaitForNotification();
    return TagPage();
  }
  void Release() { released_.Notify(); }

 private:
  absl::Notification released_;
};

boost::asio::awaitable<void> ListTags(UpstreamBackend& backend, CallContext call, RepositoryName repository) {
  EXPECT_OK((co_await backend.ListTags(call, repository, 1, "")).status());
}

TEST(LocalUpstreamBackendCallsTest, AHangingUpstreamLeavesThreadsForOthers) {
  HangingCache cache;
  RecordingManagement management;
  boost::asio::io_context hanging;
  runtime::Executor calls(4);
  runtime::Executor reads(1);
  const std::unique_ptr<UpstreamBackend> backend = MakeLocalUpstreamBackend(&cache, &management, &calls, &reads);
  const RepositoryName hangs = RepositoryName::Parse("hangs.example/team/app").value();
  // More calls than threads.
  for (int i = 0; i < 8; ++i) {
    boost::asio::co_spawn(hanging, ListTags(*backend, {"test"}, hangs), [](std::exception_ptr) {});
    hanging.poll();
  }
  boost::asio::io_context others;
  const RepositoryName works = RepositoryName::Parse("works.example/team/app").value();
  EXPECT_OK(RunAwaitable(others, backend->ListTags({"test"}, works, 1, "")).status());
  cache.Release();
  hanging.run();
}

boost::asio::awaitable<void> ReadFirst(UpstreamBackend& backend, CallContext call, RepositoryName repository,
                                       Digest digest, int* done) {
  absl::StatusOr<UpstreamBlob> blob = co_await backend.OpenBlob(call, repository, digest, 0, 0, 100);
  if (blob.ok() && (co_await ReadNext(*blob->body)).ok()) ++*done;
}

TEST_F(LocalUpstreamBackendTest, NoThreadWaitsForBytesOfAFetch) {
  under_test_.cache().fetches[digest_.ToString()] = fetch_;
  fetch_->Answer(3);
  boost::asio::io_context context;
  int done = 0;
  // More readers than threads.
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(context, ReadFirst(under_test_.backend(), call_, repository_, digest_, &done),
                          [](std::exception_ptr) {});
  }
  while (fetch_->waiting() < 10) context.run_one();
  EXPECT_EQ(done, 0);
  boost::asio::io_context others;
  EXPECT_OK(RunAwaitable(others, under_test_.backend().ListTags(call_, repository_, 1, "")).status());
  fetch_->Arrive("ab");
  context.run();
  EXPECT_EQ(done, 10);
}

TEST_F(LocalUpstreamBackendTest, SendsAFetchFromItsFileWithoutAThread) {
  const std::string bytes(300'000, 'x');
  const kv::TemporaryDirectory directory;
  under_test_.cache().fetches[digest_.ToString()] = fetch_;
  fetch_->KeepIn(directory.path() + "/spool");
  fetch_->Answer(bytes.size());
  fetch_->Arrive(bytes);
  boost::asio::io_context context;
  const absl::StatusOr<UpstreamBlob> blob =
      RunAwaitable(context, under_test_.backend().OpenBlob(call_, repository_, digest_, 0, 0, 100));
  ASSERT_OK(blob);
  ASSERT_OK_AND_ASSIGN(std::optional<BodyPiece> piece,
                       RunAwaitable(context, std::get<SequenceBody>(*blob->body).pieces->Next()));
  ASSERT_TRUE(piece.has_value() && std::holds_alternative<FileBody>(*piece));
  // All that is there, whatever the memory for buffers is.
  EXPECT_EQ(std::get<FileBody>(*piece).length_bytes, bytes.size());
}

TEST_F(LocalUpstreamBackendTest, AStoppedCacheEndsWhatWaitsForAFetch) {
  under_test_.cache().fetches[digest_.ToString()] = fetch_;
  fetch_->Answer(3);
  boost::asio::io_context context;
  int done = 0;
  boost::asio::co_spawn(context, ReadFirst(under_test_.backend(), call_, repository_, digest_, &done),
                        [](std::exception_ptr) {});
  while (fetch_->waiting() == 0) context.run_one();
  under_test_.cache().Stop();
  context.run();
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace entrepot::gateway
