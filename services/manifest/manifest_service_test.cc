#include "services/manifest/manifest_service.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/deletion_queue.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/recording_maintenance.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/wire/content_messages.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The service behind real gRPC, in one process.
class ManifestServiceTest : public testing::Test {
 protected:
  ManifestServiceTest()
      : catalog_(RegistryCatalog::Create(&kv_, &clock_, {}).value()),
        executor_(2),
        deletions_(MakeDeletionQueue(/*jobs_max=*/4, registry_)),
        service_(catalog_.get(), &maintenance_, &executor_, deletions_.get()) {
    server_ = runtime::GrpcServer::Start(AnyPort(), {&service_}, registry_).value();
    config::v1::Service target;
    target.set_target(server_->address());
    stub_ = v1::ManifestService::NewStub(runtime::MakeChannel(target, registry_));
  }

  static config::v1::Endpoint AnyPort() {
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    return endpoint;
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::ManifestService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return FromGrpcStatus((stub_.get()->*method)(&context, request, response));
  }

  absl::Status Commit(const std::string& repository, const Blob& blob) {
    v1::CommitBlobRequest request;
    request.set_repository(repository);
    *request.mutable_blob() = ToMessage(blob);
    return Call(&v1::ManifestService::Stub::CommitBlob, request, &committed_);
  }

  absl::StatusOr<v1::PutManifestResponse> Put(const std::string& repository, const std::string& reference,
                                              const std::string& content, const std::string& tag = "") {
    v1::PutManifestRequest request;
    request.set_repository(repository);
    request.set_reference(reference);
    request.set_content(content);
    if (!tag.empty()) request.add_tags(tag);
    v1::PutManifestResponse response;
    const absl::Status status = Call(&v1::ManifestService::Stub::PutManifest, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::Manifest> Get(const std::string& repository, const std::string& reference, bool metadata_only) {
    v1::GetManifestRequest request;
    request.set_repository(repository);
    request.set_reference(reference);
    request.set_metadata_only(metadata_only);
    v1::Manifest response;
    const absl::Status status = Call(&v1::ManifestService::Stub::GetManifest, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<types::v1::Blob> Find(const std::string& repository, const Digest& digest) {
    v1::FindBlobRequest request;
    request.set_repository(repository);
    request.set_digest(digest.ToString());
    types::v1::Blob response;
    const absl::Status status = Call(&v1::ManifestService::Stub::FindBlob, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  std::unique_ptr<RegistryCatalog> catalog_;
  RecordingMaintenance maintenance_;
  runtime::Executor executor_;
  const std::unique_ptr<runtime::BoundedExecutor> deletions_;
  ManifestService service_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::unique_ptr<v1::ManifestService::Stub> stub_;
  v1::CommitBlobResponse committed_;
};

TEST_F(ManifestServiceTest, CarriesTheLifeOfABlob) {
  const Blob blob = Upload("bytes");
  ASSERT_OK(Commit("a", blob));
  EXPECT_FALSE(committed_.deduplicated());
  ASSERT_OK(Commit("a", Upload("bytes")));
  EXPECT_TRUE(committed_.deduplicated());

  ASSERT_OK_AND_ASSIGN(const types::v1::Blob found, Find("a", blob.digest));
  EXPECT_EQ(found.digest(), blob.digest.ToString());
  EXPECT_EQ(found.size_bytes(), 5u);
  EXPECT_EQ(found.storage_key(), blob.storage_key.ToString());
  // A lease that is due is renewed before the response.
  clock_.Advance(absl::Hours(20));
  EXPECT_OK(Find("a", blob.digest));
  EXPECT_FALSE(catalog_->blobs().LookUp(kAnonymous, Repo("a"), blob.digest)->lease_due);

  v1::MountBlobRequest mount;
  mount.set_repository("b");
  mount.set_digest(blob.digest.ToString());
  mount.set_source_repository("c");
  types::v1::Blob mounted;
  EXPECT_THAT(Call(&v1::ManifestService::Stub::MountBlob, mount, &mounted), IsOciError(OciErrorCode::kBlobUnknown));
  mount.clear_source_repository();
  EXPECT_OK(Call(&v1::ManifestService::Stub::MountBlob, mount, &mounted));
  EXPECT_EQ(mounted.storage_key(), blob.storage_key.ToString());

  v1::UnlinkBlobRequest unlink;
  unlink.set_repository("a");
  unlink.set_digest(blob.digest.ToString());
  v1::UnlinkBlobResponse unlinked;
  EXPECT_OK(Call(&v1::ManifestService::Stub::UnlinkBlob, unlink, &unlinked));
  EXPECT_THAT(Find("a", blob.digest), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(Find("b", blob.digest));
}

TEST_F(ManifestServiceTest, CarriesManifests) {
  const Blob config = Upload("config");
  ASSERT_OK(Commit("a", config));
  const std::string image = ImageJson(config, {}, SubjectMember("subject"));
  ASSERT_OK_AND_ASSIGN(const v1::PutManifestResponse put, Put("a", DigestOf(image).ToString(), image, "v1"));
  EXPECT_EQ(put.digest(), DigestOf(image).ToString());
  EXPECT_EQ(put.subject(), DigestOf("subject").ToString());

  ASSERT_OK_AND_ASSIGN(const v1::Manifest whole, Get("a", "v1", false));
  EXPECT_EQ(whole.content(), image);
  EXPECT_EQ(whole.media_type(), kImageType);
  ASSERT_OK_AND_ASSIGN(const v1::Manifest head, Get("a", put.digest(), true));
  EXPECT_EQ(head.content(), "");
  EXPECT_EQ(head.size_bytes(), image.size());

  v1::GetManifestRequest bounded;
  bounded.set_repository("a");
  bounded.set_reference("v1");
  for (const bool fits : {true, false}) {
    bounded.set_content_bytes_max(fits ? image.size() : image.size() - 1);
    v1::Manifest response;
    ASSERT_OK(Call(&v1::ManifestService::Stub::GetManifest, bounded, &response));
    EXPECT_EQ(response.content(), fits ? image : "");
    EXPECT_EQ(response.size_bytes(), image.size());
  }

  v1::DeleteManifestRequest remove;
  remove.set_repository("a");
  remove.set_reference("v1");
  v1::DeleteManifestResponse removed;
  EXPECT_OK(Call(&v1::ManifestService::Stub::DeleteManifest, remove, &removed));
  EXPECT_THAT(Get("a", "v1", false), IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_OK(Get("a", put.digest(), false));
}

TEST_F(ManifestServiceTest, CarriesLists) {
  const std::string index = IndexJson({}, absl::StrCat(",\"annotations\":{\"k\":\"v\"}", SubjectMember("subject")));
  for (const char* const tag : {"v1", "v2", "v3"}) ASSERT_OK(Put("a", tag, index));
  ASSERT_OK(Put("b", "v1", index));

  v1::ListTagsRequest tags_request;
  tags_request.set_repository("a");
  tags_request.set_limit(2);
  v1::ListTagsResponse tags;
  ASSERT_OK(Call(&v1::ManifestService::Stub::ListTags, tags_request, &tags));
  EXPECT_THAT(tags.tags(), ElementsAre("v1", "v2"));
  EXPECT_TRUE(tags.more());

  v1::ListRepositoriesRequest repositories_request;
  repositories_request.add_patterns("**");
  repositories_request.set_limit(10);
  repositories_request.set_last("a");
  v1::ListRepositoriesResponse repositories;
  ASSERT_OK(Call(&v1::ManifestService::Stub::ListRepositories, repositories_request, &repositories));
  EXPECT_THAT(repositories.repositories(), ElementsAre("b"));
  EXPECT_FALSE(repositories.more());

  v1::ListReferrersRequest referrers_request;
  referrers_request.set_repository("a");
  referrers_request.set_subject(DigestOf("subject").ToString());
  referrers_request.set_limit(10);
  v1::ListReferrersResponse referrers;
  ASSERT_OK(Call(&v1::ManifestService::Stub::ListReferrers, referrers_request, &referrers));
  ASSERT_EQ(referrers.referrers_size(), 1);
  EXPECT_EQ(referrers.referrers(0).digest(), DigestOf(index).ToString());
  EXPECT_EQ(referrers.referrers(0).media_type(), kIndexType);
  EXPECT_EQ(referrers.referrers(0).annotations().at("k"), "v");
  EXPECT_EQ(referrers.next(), "");
}

TEST_F(ManifestServiceTest, CarriesCachesOfUpstreams) {
  const Blob layer = Upload("layer");
  const std::string image = ImageJson(Upload("config"), {layer});
  v1::PutManifestRequest put;
  put.set_repository("up/image");
  put.set_reference("v1");
  put.set_content(image);
  v1::PutManifestResponse stored;
  EXPECT_THAT(Call(&v1::ManifestService::Stub::PutManifest, put, &stored),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
  put.set_cache_of("up");
  ASSERT_OK(Call(&v1::ManifestService::Stub::PutManifest, put, &stored));
  EXPECT_EQ(stored.digest(), DigestOf(image).ToString());
  EXPECT_THAT(Put("up/image", "v1", image), IsOciError(OciErrorCode::kUnsupported));
  EXPECT_THAT(Commit("up/image", layer), IsOciError(OciErrorCode::kUnsupported));

  v1::LinkNeededBlobRequest link;
  link.set_repository("up/image");
  link.set_digest(layer.digest.ToString());
  types::v1::Blob linked;
  EXPECT_THAT(Call(&v1::ManifestService::Stub::LinkNeededBlob, link, &linked), IsOciError(OciErrorCode::kBlobUnknown));
  v1::CommitBlobRequest commit;
  commit.set_repository("up/other");
  *commit.mutable_blob() = ToMessage(layer);
  commit.set_cache_of("up");
  ASSERT_OK(Call(&v1::ManifestService::Stub::CommitBlob, commit, &committed_));
  EXPECT_OK(Call(&v1::ManifestService::Stub::LinkNeededBlob, link, &linked));
  EXPECT_EQ(linked.storage_key(), layer.storage_key.ToString());

  link.set_digest("sha256:bad");
  EXPECT_THAT(Call(&v1::ManifestService::Stub::LinkNeededBlob, link, &linked),
              IsOciError(OciErrorCode::kDigestInvalid));
  link.set_repository("A");
  EXPECT_THAT(Call(&v1::ManifestService::Stub::LinkNeededBlob, link, &linked), IsOciError(OciErrorCode::kNameInvalid));
}

TEST_F(ManifestServiceTest, CarriesErrorsWithTheirDetail) {
  EXPECT_THAT(Put("a", "v1", "{}"), IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_THAT(Put("A", "v1", "{}"), IsOciError(OciErrorCode::kNameInvalid));
  EXPECT_THAT(Put("a", ".v1", "{}"), IsOciError(OciErrorCode::kTagInvalid));
  EXPECT_THAT(Put("a", "sha256:bad", "{}"), IsOciError(OciErrorCode::kDigestInvalid));
  EXPECT_THAT(Put("a", "v1", "{}", "?"), IsOciError(OciErrorCode::kTagInvalid));
  EXPECT_THAT(Get("a", "sha256:bad", false), IsOciError(OciErrorCode::kDigestInvalid));
  std::vector<Blob> missing;
  for (int i = 0; i < 500; ++i) missing.push_back(Upload(absl::StrCat("missing ", i)));
  const auto refused = Put("a", "v1", ImageJson(missing[0], missing));
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_THAT(GetOciErrorDetail(refused.status()), HasSubstr("layers["));
}

TEST_F(ManifestServiceTest, CarriesDamageReports) {
  v1::ReportDamageRequest request;
  v1::ReportDamageResponse response;
  request.set_digest(Upload("bytes").digest.ToString());
  request.set_storage_key("../../etc/passwd");
  EXPECT_THAT(Call(&v1::ManifestService::Stub::ReportDamage, request, &response),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(maintenance_.damages().empty());
  request.set_storage_key(Upload("bytes").storage_key.ToString());
  EXPECT_OK(Call(&v1::ManifestService::Stub::ReportDamage, request, &response));
  ASSERT_EQ(maintenance_.damages().size(), 1u);
  EXPECT_EQ(maintenance_.damages().front().second.ToString(), request.storage_key());
}

TEST_F(ManifestServiceTest, CarriesTheLargestManifest) {
  const std::string more = absl::StrCat(",\"annotations\":{\"a\":\"", std::string(4 << 20, 'A'), "\"}");
  const std::string index = IndexJson({}, absl::StrCat(more, SubjectMember("subject")));
  ASSERT_OK(Put("a", "v1", index));
  EXPECT_EQ(Get("a", "v1", false)->content(), index);
  v1::ListReferrersRequest request;
  request.set_repository("a");
  request.set_subject(DigestOf("subject").ToString());
  request.set_limit(1000);
  v1::ListReferrersResponse response;
  ASSERT_OK(Call(&v1::ManifestService::Stub::ListReferrers, request, &response));
  EXPECT_EQ(response.referrers_size(), 1);
}

}  // namespace
}  // namespace entrepot::manifest
