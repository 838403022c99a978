#include "services/standalone/local_cache_store.h"

#include <memory>
#include <string>
#include <vector>

#include "gateway/backends/testing/service_stack.h"
#include "gtest/gtest.h"
#include "services/core/caller.h"
#include "services/core/digester.h"
#include "services/core/upload.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/upstream/testing/cache_store_conformance.h"

namespace entrepot::upstream {
namespace {

class LocalUnderTest : public CacheStoreUnderTest {
 public:
  CacheStore& store() override { return *store_; }
  BlobStorage& objects() override { return stack_.blobs()->storage(); }
  std::vector<RoomRequest> room_requests() override { return stack_.maintenance()->room_requests(); }
  blob::UploadSessions& sessions() { return stack_.blobs()->upload_sessions(); }

  void Push(const RepositoryName& repository, const std::string& bytes) override {
    const UploadOwner owner{.repository = repository, .account = "ada"};
    const Upload upload = sessions().Start(owner, DigestAlgorithm::kSha256).value();
    const auto appender = sessions().Append(owner, upload.id, {}).value();
    EXPECT_OK(appender->Append(bytes));
    const Blob blob = appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes)).value();
    EXPECT_OK(stack_.catalog()->blobs().Commit(Caller(), repository, blob));
  }

 private:
  gateway::ServiceStack stack_;
  std::unique_ptr<CacheStore> store_ =
      standalone::MakeLocalCacheStore(&stack_.blobs()->upload_sessions(), stack_.catalog(), stack_.maintenance());
};

INSTANTIATE_TEST_SUITE_P(Local, CacheStoreConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(); }));

TEST(LocalCacheStoreTest, ItsUploadsBelongToNoClient) {
  LocalUnderTest under_test;
  const RepositoryName repository = RepositoryName::Parse("up/image").value();
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, "layer");
  ASSERT_OK_AND_ASSIGN(const auto writer, under_test.store().WriteBlob(repository, "up", digest));
  ASSERT_OK_AND_ASSIGN(const OpenUploadPage page, under_test.objects().ListUploads({}, "", 10));
  ASSERT_EQ(page.uploads.size(), 1u);
  EXPECT_EQ(page.uploads[0].account, kUpstreamAccount);
  const UploadId id = UploadId::Parse(page.uploads[0].id).value();
  for (const std::string& account : {std::string(), std::string("ada")}) {
    EXPECT_THAT(under_test.sessions().Get({.repository = repository, .account = account}, id),
                IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
}

}  // namespace
}  // namespace entrepot::upstream
