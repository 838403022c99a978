#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kRules[] = R"(
groups:
  - name: builders
immutable_tags:
  - name: releases
    repositories: [a]
    tags: ["release-*"]
create_only_tags:
  - name: ci adds
    subjects: [ci, "group:builders"]
    repositories: [a, b]
    tags: ["nightly-*"]
)";

// Which calls a catalog with tag rules refuses.
class CatalogTagRulesTest : public CatalogTest {
 protected:
  CatalogTagRulesTest() { UsePolicy(kRules); }

  absl::Status Push(const Caller& caller, const RepositoryName& repository, absl::string_view tag,
                    const std::string& content, absl::string_view type = kImageType) {
    return catalog_->manifests().Put(caller, repository, PutByTag(tag, content, type)).status();
  }
  // Pushes an index of the image, and to `tag` an index of that index. Returns the inner one.
  std::string PushNestedIndex(const Caller& caller, const RepositoryName& repository, const std::string& image,
                              absl::string_view tag) {
    std::string index = IndexJson({image});
    EXPECT_OK(Push(caller, repository, "index", index, kIndexType));
    const std::string outer = absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kIndexType, R"(","manifests":[)",
                                           DescriptorJson(kIndexType, DigestOf(index), index.size()), "]}");
    EXPECT_OK(Push(ada_, repository, tag, outer, kIndexType));
    return index;
  }
  std::string Named(const RepositoryName& repository, absl::string_view tag) {
    const auto manifest = catalog_->manifests().Get(kAnonymous, repository, TagNamed(tag), false);
    return manifest.ok() ? manifest->content : "";
  }
  static void ExpectDenied(const absl::Status& status, absl::string_view message, absl::string_view rule) {
    EXPECT_THAT(status, IsOciError(OciErrorCode::kDenied));
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(message)));
    EXPECT_EQ(GetOciErrorDetail(status), rule);
  }
  void ExpectHeld(const absl::Status& status) {
    ExpectDenied(status, "the immutable tag a:release-1 needs ", kReleases);
  }
  void ExpectHeldFromCi(const absl::Status& status) {
    ExpectDenied(status, "the tag b:nightly-1, which you may only create, needs ", kCiAdds);
  }

  static constexpr char kReleases[] = "immutable_tags rule 1 (\"releases\") of policy.yaml";
  static constexpr char kCiAdds[] = "create_only_tags rule 1 (\"ci adds\") of policy.yaml";
  const Caller ada_{.account = "ada"};
  const Caller ci_{.account = "ci"};
};

INSTANTIATE_TEST_SUITE_P(Engines, CatalogTagRulesTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(CatalogTagRulesTest, DeniesAPushThatChangesAnImmutableTag) {
  const std::string first = PushedImage(a_, "release-1");
  const std::string second = ImageIn(a_, "second");
  ExpectDenied(Push(ada_, a_, "release-1", second),
               "the tag a:release-1 is immutable: a push cannot make it name another manifest", kReleases);
  EXPECT_EQ(Named(a_, "release-1"), first);
  // The manifest was not stored either.
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, DigestOf(second), true),
              IsOciError(OciErrorCode::kManifestUnknown));

  EXPECT_OK(Push(ada_, a_, "release-1", first));
  EXPECT_OK(Push(ada_, a_, "release-2", second));
  EXPECT_OK(Push(ada_, a_, "latest", first));
  EXPECT_OK(Push(ada_, a_, "latest", second));
}

TEST_P(CatalogTagRulesTest, RulesDoNotApplyToOtherRepositories) {
  PushedImage(b_, "release-1");
  EXPECT_OK(Push(ada_, b_, "release-1", ImageIn(b_, "second")));
  EXPECT_OK(catalog_->manifests().Delete(ada_, b_, TagNamed("release-1")));
}

TEST_P(CatalogTagRulesTest, DeniesDeletingAnImmutableTag) {
  const std::string image = PushedImage(a_, "release-1");
  ExpectDenied(catalog_->manifests().Delete(ada_, a_, TagNamed("release-1")),
               "the tag a:release-1 is immutable: it cannot be deleted", kReleases);
  ExpectDenied(catalog_->manifests().Delete(ada_, a_, DigestOf(image)),
               "the tag a:release-1 is immutable: it cannot be deleted", kReleases);
  EXPECT_EQ(Named(a_, "release-1"), image);
  EXPECT_THAT(catalog_->manifests().Delete(ada_, a_, TagNamed("release-9")),
              IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_P(CatalogTagRulesTest, DeniesDeletingContentOfAnImmutableTag) {
  const Blob config = Pushed(a_, "config");
  const Blob layer = Pushed(a_, "layer");
  const Blob unneeded = Pushed(a_, "unneeded");
  const std::string image = ImageJson(config, {layer});
  ASSERT_OK(Push(ada_, a_, "latest", image));
  const std::string index = PushNestedIndex(ada_, a_, image, "release-1");

  ExpectHeld(catalog_->manifests().Delete(ada_, a_, DigestOf(index)));
  ExpectHeld(catalog_->manifests().Delete(ada_, a_, DigestOf(image)));
  ExpectHeld(catalog_->blobs().Unlink(ada_, a_, layer.digest));
  ExpectHeld(catalog_->blobs().Unlink(ada_, a_, config.digest));
  EXPECT_OK(catalog_->blobs().Unlink(ada_, a_, unneeded.digest));
  EXPECT_OK(catalog_->manifests().Delete(ada_, a_, TagNamed("latest")));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, layer.digest));

  // Without the rule, nothing is protected.
  UsePolicy("");
  EXPECT_OK(catalog_->blobs().Unlink(ada_, a_, layer.digest));
  EXPECT_OK(catalog_->manifests().Delete(ada_, a_, DigestOf(image)));
  EXPECT_OK(catalog_->manifests().Delete(ada_, a_, TagNamed("release-1")));
}

TEST_P(CatalogTagRulesTest, ImmutableTagDoesNotProtectOtherRepositories) {
  const std::string image = PushedImage(a_, "release-1");
  const Digest layer = DigestOf("layer of release-1");
  PushedImage(b_, "release-1");
  EXPECT_OK(catalog_->blobs().Unlink(ada_, b_, layer));
  EXPECT_OK(catalog_->manifests().Delete(ada_, b_, DigestOf(image)));
  ExpectHeld(catalog_->blobs().Unlink(ada_, a_, layer));
}

TEST_P(CatalogTagRulesTest, CreateOnlyRuleDeniesMovesAndDeletions) {
  const std::string first = ImageIn(b_, "first");
  const std::string second = ImageIn(b_, "second");
  ASSERT_OK(Push(ci_, b_, "nightly-1", first));
  EXPECT_OK(Push(ci_, b_, "nightly-1", first));
  ExpectDenied(Push(ci_, b_, "nightly-1", second), "the tag b:nightly-1 exists, and you may only create tags", kCiAdds);
  const Caller builder{.account = "eve", .groups = {"builders"}};
  ExpectDenied(Push(builder, b_, "nightly-1", second), "the tag b:nightly-1 exists, and you may only create tags",
               kCiAdds);
  ExpectDenied(catalog_->manifests().Delete(ci_, b_, TagNamed("nightly-1")), "the tag b:nightly-1", kCiAdds);
  ExpectDenied(catalog_->manifests().Delete(ci_, b_, DigestOf(first)), "the tag b:nightly-1", kCiAdds);
  EXPECT_EQ(Named(b_, "nightly-1"), first);

  EXPECT_OK(Push(ci_, b_, "other", first));
  EXPECT_OK(Push(ci_, b_, "other", second));
  EXPECT_OK(Push(ada_, b_, "nightly-1", second));
  EXPECT_OK(catalog_->manifests().Delete(ada_, b_, TagNamed("nightly-1")));
}

TEST_P(CatalogTagRulesTest, CreateOnlyRuleDeniesDeletingContentOfTheTag) {
  const Blob config = Pushed(b_, "config");
  const Blob layer = Pushed(b_, "layer");
  const Blob unneeded = Pushed(b_, "unneeded");
  const std::string image = ImageJson(config, {layer});
  ASSERT_OK(Push(ci_, b_, "amd64", image));
  const std::string index = PushNestedIndex(ci_, b_, image, "nightly-1");

  for (const Caller& caller : {ci_, Caller{.account = "eve", .groups = {"builders"}}}) {
    ExpectHeldFromCi(catalog_->blobs().Unlink(caller, b_, layer.digest));
    ExpectHeldFromCi(catalog_->blobs().Unlink(caller, b_, config.digest));
    ExpectHeldFromCi(catalog_->manifests().Delete(caller, b_, DigestOf(image)));
    ExpectHeldFromCi(catalog_->manifests().Delete(caller, b_, DigestOf(index)));
    ExpectDenied(catalog_->repositories().Delete(caller, b_).status(), "the tag b:nightly-1 exists", kCiAdds);
  }
  // A child's own tag may move and go; the child stays.
  EXPECT_OK(Push(ci_, b_, "amd64", ImageIn(b_, "other")));
  EXPECT_OK(catalog_->manifests().Delete(ci_, b_, TagNamed("amd64")));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, b_, DigestOf(image), true));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, b_, layer.digest));
  EXPECT_OK(catalog_->blobs().Unlink(ci_, b_, unneeded.digest));

  // The rule is for its subjects only.
  EXPECT_OK(catalog_->blobs().Unlink(ada_, b_, layer.digest));
  EXPECT_OK(catalog_->manifests().Delete(ada_, b_, DigestOf(image)));
  EXPECT_OK(catalog_->repositories().Delete(ada_, b_));
}

TEST_P(CatalogTagRulesTest, AProtectedTagDoesNotNeedTheSubjectOfItsManifest) {
  const std::string subject = PushedImage(b_, "other");
  PushedImage(b_, "nightly-1", SubjectMember(subject));
  EXPECT_OK(catalog_->manifests().Delete(ci_, b_, DigestOf(subject)));
}

TEST_P(CatalogTagRulesTest, AProtectedTagNeedsWhatArrivesAfterIt) {
  UsePolicy(absl::StrCat(kRules, "incomplete_manifests: [{repositories: [a, b], allow: [absent_children]}]"));
  const Blob layer = Upload("layer");
  const std::string image = ImageJson(Upload("config"), {layer});
  for (const RepositoryName& repository : {a_, b_}) {
    ASSERT_OK(Push(ci_, repository, "release-1", IndexJson({image}), kIndexType));
    ASSERT_OK(Push(ci_, repository, "nightly-1", IndexJson({image}), kIndexType));
    Pushed(repository, "config");
    Pushed(repository, "layer");
    ASSERT_OK(catalog_->manifests().Put(ci_, repository, PutByDigest(image)));
  }
  ExpectHeld(catalog_->manifests().Delete(ada_, a_, DigestOf(image)));
  ExpectHeld(catalog_->blobs().Unlink(ada_, a_, layer.digest));
  ExpectHeldFromCi(catalog_->manifests().Delete(ci_, b_, DigestOf(image)));
  ExpectHeldFromCi(catalog_->blobs().Unlink(ci_, b_, layer.digest));
  EXPECT_OK(catalog_->blobs().Unlink(ada_, b_, layer.digest));
}

TEST_P(CatalogTagRulesTest, WritesAllTagsOrNone) {
  PushedImage(a_, "release-1");
  const std::string second = ImageIn(a_, "second");
  ManifestPut put = PutByDigest(second);
  for (const char* const tag : {"aaa", "release-1", "zzz"}) put.tags.push_back(TagNamed(tag));
  ExpectDenied(catalog_->manifests().Put(ada_, a_, put).status(), "the tag a:release-1 is immutable", kReleases);
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("release-1"));

  put.tags[1] = TagNamed("release-2");
  ASSERT_OK(catalog_->manifests().Put(ada_, a_, put));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags,
              ElementsAre("aaa", "release-1", "release-2", "zzz"));
}

TEST_P(CatalogTagRulesTest, DeniesDeletionOfRepositoryWithImmutableTag) {
  PushedImage(a_, "latest");
  const std::string image = PushedImage(a_, "release-1");
  ExpectDenied(catalog_->repositories().Delete(ada_, a_).status(), "the tag a:release-1 is immutable", kReleases);
  EXPECT_EQ(Named(a_, "release-1"), image);
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("latest", "release-1"));
  EXPECT_OK(Push(ada_, a_, "latest", image));

  UsePolicy("");
  EXPECT_OK(catalog_->repositories().Delete(ada_, a_));
}

TEST_P(CatalogTagRulesTest, TagRecordsTheAccountThatPushedIt) {
  const std::string image = ImageIn(b_, "first");
  ASSERT_OK(Push(ada_, b_, "v1", image));
  ASSERT_OK(Push(kAnonymous, b_, "v2", image));
  const auto pushed_by = [&](absl::string_view tag) {
    return kv::ReadRecord<storage::v1::TagRecord>(*engine_->get(), keys::Tag(b_, TagNamed(tag))).value()->pushed_by();
  };
  EXPECT_EQ(pushed_by("v1"), "ada");
  EXPECT_EQ(pushed_by("v2"), "");
}

}  // namespace
}  // namespace entrepot::manifest
