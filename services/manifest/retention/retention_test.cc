#include "services/manifest/retention/retention.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using v1::RetentionReport;

bool GoOn(uint64_t, uint64_t) { return true; }

class RetentionTest : public CatalogTest {
 protected:
  RetentionTest() {
    // Pulls are known from the beginning.
    EXPECT_OK(PullTimes::Create(engine_->get(), &clock_)->Flush());
  }

  RetentionReport Apply(const std::string& rules, bool dry_run = false) {
    Retention retention(engine_->get(), &clock_, catalog_.get(), [this](const RetentionReport::Removal& removal) {
      audited_.push_back(absl::StrCat(removal.repository(), ": ", removal.what()));
    });
    return retention.Apply(ParseRetentionRules(rules).value(), dry_run, GoOn).value();
  }
  static std::vector<std::string> Removals(const RetentionReport& report) {
    std::vector<std::string> removals;
    for (const RetentionReport::Removal& removal : report.removals()) {
      removals.push_back(absl::StrCat(removal.repository(), ": ", removal.what()));
    }
    return removals;
  }
  static std::string ManifestOf(const std::string& content) {
    return absl::StrCat("a: manifest ", DigestOf(content).ToString());
  }

  std::vector<std::string> Tags(const RepositoryName& repository) {
    return catalog_->lists().Tags(kAnonymous, repository, 1000, "").value().tags;
  }
  bool Has(const std::string& content) { return Exists(keys::Manifest(a_, DigestOf(content))); }
  void Pull(const std::string& tag) {
    const auto pulls = PullTimes::Create(engine_->get(), &clock_);
    pulls->Note(a_, TagNamed(tag));
    EXPECT_OK(pulls->Flush());
  }
  // An image without a tag.
  std::string Untagged(absl::string_view name, absl::string_view more = "") {
    std::string image = ImageIn(a_, name, more);
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(image)));
    return image;
  }
  std::string SignatureOf(absl::string_view name, const std::string& subject) {
    return Untagged(name, SubjectMember(subject));
  }
  // The tag that cosign uses.
  std::string TagOf(const std::string& subject, absl::string_view suffix) {
    return absl::StrCat(absl::StrReplaceAll(DigestOf(subject).ToString(), {{":", "-"}}), suffix);
  }

  std::vector<std::string> audited_;
};

INSTANTIATE_TEST_SUITE_P(Engines, RetentionTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(RetentionTest, KeepsTheLastTags) {
  for (const char* tag : {"v1", "v2", "v3", "v4"}) {
    PushedImage(a_, tag);
    PushedImage(b_, tag);
    clock_.Advance(absl::Minutes(1));
  }
  // v1 is the newest tag now.
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", ImageIn(a_, "v1"))));

  const RetentionReport report = Apply("rules: [{name: builds, repositories: [a], keep: {last_tags: 2}}]");
  EXPECT_THAT(Tags(a_), ElementsAre("v1", "v4"));
  EXPECT_THAT(Tags(b_), ElementsAre("v1", "v2", "v3", "v4"));
  EXPECT_THAT(Removals(report), ElementsAre("a: tag v2", "a: tag v3"));
  EXPECT_EQ(report.removals(0).reason(), "rule 1 \"builds\" (keep the last 2 tags)");
  EXPECT_EQ(report.tags(), 2u);
  EXPECT_EQ(report.manifests(), 0u);
  EXPECT_THAT(audited_, ElementsAre("a: tag v2", "a: tag v3"));
  EXPECT_EQ(CountWithPrefix(keys::ManifestsOf(a_)), 4u);
}

TEST_P(RetentionTest, AnyKeepRuleKeepsATag) {
  for (const char* tag : {"old", "pulled", "release-1", "young", "last"}) {
    PushedImage(a_, tag);
    clock_.Advance(absl::Hours(1));
    if (std::string(tag) == "release-1") Pull("pulled");
  }
  // "young" was pushed two hours ago; "pulled" was pulled three hours ago.
  const std::string rules = R"(
rules:
  - repositories: ["**"]
    keep: {last_tags: 1, pushed_within: 150m, pulled_within: 190m, tags: ["release-*"]})";
  const RetentionReport report = Apply(rules);
  EXPECT_THAT(Tags(a_), ElementsAre("last", "pulled", "release-1", "young"));
  EXPECT_EQ(report.removals(0).reason(),
            "rule 1 (keep the last tag, tags pushed within 2h30m, tags pulled within 3h10m, tags like release-*)");
}

TEST_P(RetentionTest, PushCountsAsPull) {
  PushedImage(a_, "v1");
  const std::string rules = "rules: [{repositories: [a], keep: {pulled_within: 24h}}]";
  clock_.Advance(absl::Hours(23));
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Removals(Apply(rules)), ElementsAre("a: tag v1"));
}

TEST_P(RetentionTest, TagWithoutKnownPullMayHaveBeenPulledEarlier) {
  PushedImage(a_, "v1");
  clock_.Advance(absl::Hours(1000));
  ASSERT_OK(engine_->get()->Transact({{keys::PullTracking()}}, [&](kv::KvTransaction& transaction) {
    transaction.Delete(keys::PullTracking());
    return absl::OkStatus();
  }));
  const std::string rules = "rules: [{repositories: [a], keep: {pulled_within: 24h}}]";
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  ASSERT_OK(PullTimes::Create(engine_->get(), &clock_)->Flush());
  clock_.Advance(absl::Hours(23));
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Removals(Apply(rules)), ElementsAre("a: tag v1"));
}

TEST_P(RetentionTest, FirstMatchingRuleApplies) {
  PushedImage(a_, "v1");
  PushedImage(b_, "v1");
  clock_.Advance(absl::Hours(1));
  const RetentionReport report = Apply(R"(
rules:
  - repositories: [a]
  - repositories: ["**"]
    keep: {tags: [none]}
  - repositories: [a, b]
    keep: {last_tags: 9})");
  EXPECT_THAT(Removals(report), ElementsAre("b: tag v1"));
  EXPECT_EQ(report.removals(0).reason(), "rule 2 (keep tags like none)");
}

TEST_P(RetentionTest, DryRunReportsTheSameAndChangesNothing) {
  PushedImage(a_, "v1");
  const std::string shown = PushedImage(a_, "v2");
  const std::string child = Untagged("child");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("old", IndexJson({child}), kIndexType)));
  const std::string signature = SignatureOf("signature", child);
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(TagOf(child, ".sig"), ImageIn(a_, "cosign's"))));
  UsePolicy("immutable_tags: [{repositories: [a], tags: [v1]}]");
  clock_.Advance(absl::Hours(2));
  const std::string rules = "rules: [{repositories: [a], keep: {tags: [v2]}, untagged_after: 1h}]";
  const auto everything = [&] {
    return engine_->get()->Scan({.prefix = "", .start_after = "", .limit = 10'000}).value();
  };
  const auto before = everything();

  RetentionReport dry = Apply(rules, /*dry_run=*/true);
  EXPECT_TRUE(dry.dry_run());
  EXPECT_EQ(everything(), before);
  EXPECT_THAT(audited_, IsEmpty());
  EXPECT_THAT(Removals(dry), UnorderedElementsAre("a: tag old", absl::StrCat("a: tag ", TagOf(child, ".sig")),
                                                  ManifestOf(IndexJson({child})), ManifestOf(child),
                                                  ManifestOf(signature), ManifestOf(ImageIn(b_, "cosign's"))));
  EXPECT_EQ(dry.kept_immutable(), 1u);

  const RetentionReport real = Apply(rules);
  dry.set_dry_run(false);
  EXPECT_EQ(dry.SerializeAsString(), real.SerializeAsString());
  EXPECT_EQ(audited_, Removals(real));
  EXPECT_THAT(Tags(a_), ElementsAre("v1", "v2"));
  EXPECT_TRUE(Has(shown));
  EXPECT_EQ(CountWithPrefix(keys::ManifestsOf(a_)), 2u);
}

TEST_P(RetentionTest, KeepsImmutableTags) {
  for (const char* tag : {"r1", "r2", "x1"}) PushedImage(a_, tag);
  UsePolicy("immutable_tags: [{repositories: [a], tags: ['r*']}]");
  clock_.Advance(absl::Hours(1));
  const RetentionReport report = Apply("rules: [{repositories: [a], keep: {tags: [none]}, untagged_after: 1s}]");
  EXPECT_THAT(Tags(a_), ElementsAre("r1", "r2"));
  EXPECT_EQ(report.kept_immutable(), 2u);
  EXPECT_EQ(report.tags(), 1u);
  EXPECT_EQ(report.manifests(), 1u);
}

TEST_P(RetentionTest, RemovesOldUntaggedManifests) {
  const std::string before = PushedImage(a_, "latest");
  const std::string other = PushedImage(a_, "other");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("latest", ImageIn(a_, "new one"))));
  clock_.Advance(absl::Hours(23));
  const std::string young = Untagged("young");
  const std::string rules = "rules: [{repositories: [a], untagged_after: 24h}]";
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  clock_.Advance(absl::Hours(1));
  const RetentionReport report = Apply(rules);
  EXPECT_THAT(Removals(report), ElementsAre(ManifestOf(before)));
  EXPECT_EQ(report.removals(0).reason(), "rule 1 (no tag, pushed more than 24h ago)");
  EXPECT_FALSE(Has(before));
  EXPECT_TRUE(Has(young));
  EXPECT_TRUE(Has(other));
  EXPECT_THAT(Tags(a_), ElementsAre("latest", "other"));
}

TEST_P(RetentionTest, ChildrenAreKeptAndRemovedWithTheirIndex) {
  const std::string amd = Untagged("amd64");
  const std::string arm = Untagged("arm64");
  const std::string inner = IndexJson({amd});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(inner, kIndexType)));
  // An index may list manifests of any kind.
  const std::string outer = absl::StrReplaceAll(
      IndexJson({arm}),
      {{"\"manifests\":[",
        absl::StrCat("\"manifests\":[", DescriptorJson(kIndexType, DigestOf(inner), inner.size()), ",")}});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", outer, kIndexType)));
  clock_.Advance(absl::Hours(2));
  const std::string untagged = "untagged_after: 1h";
  EXPECT_THAT(Removals(Apply(absl::StrCat("rules: [{repositories: [a], ", untagged, "}]"))), IsEmpty());

  const RetentionReport report =
      Apply(absl::StrCat("rules: [{repositories: [a], keep: {tags: [none]}, ", untagged, "}]"));
  EXPECT_EQ(report.manifests(), 4u);
  EXPECT_EQ(CountWithPrefix(keys::ManifestsOf(a_)), 0u);
}

// The index of a build cache lists blobs. Such a blob may be a manifest, too.
TEST_P(RetentionTest, KeepsAChildThatWasABlobWhenItsIndexWasPushed) {
  const std::string child = ImageIn(a_, "child");
  Pushed(a_, child);
  const std::string index = IndexJson({child});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", index, kIndexType)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(child)));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(Removals(Apply("rules: [{repositories: [a], untagged_after: 1h}]")), IsEmpty());
  EXPECT_TRUE(Has(child));

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(index)));
  EXPECT_THAT(Removals(Apply("rules: [{repositories: [a], untagged_after: 1h}]")), ElementsAre(ManifestOf(child)));
}

TEST_P(RetentionTest, KeepsAChildThatArrivesAfterItsIndex) {
  UsePolicy("incomplete_manifests: [{repositories: [a], allow: [absent_children]}]");
  const std::string child = ImageIn(a_, "child");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", IndexJson({child}), kIndexType)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(child)));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(Removals(Apply("rules: [{repositories: [a], untagged_after: 1h}]")), IsEmpty());
  EXPECT_TRUE(Has(child));
}

TEST_P(RetentionTest, RemovesSignaturesWithTheirSubject) {
  const std::string image = PushedImage(a_, "v1");
  const std::string kept = PushedImage(a_, "v2");
  const std::string signature = SignatureOf("signature", image);
  const std::string countersignature = SignatureOf("countersignature", signature);
  const std::string tagged = ImageIn(a_, "tagged", SubjectMember(image));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2-signature", tagged)));
  const std::string kept_signature = SignatureOf("kept signature", kept);
  clock_.Advance(absl::Hours(48));
  // It was pushed just now, but is removed all the same.
  const std::string late = SignatureOf("late", image);
  const RetentionReport report = Apply("rules: [{repositories: [a], keep: {tags: ['v2*']}, untagged_after: 24h}]");
  EXPECT_THAT(Removals(report), UnorderedElementsAre("a: tag v1", ManifestOf(image), ManifestOf(signature),
                                                     ManifestOf(countersignature), ManifestOf(late)));
  EXPECT_TRUE(Has(kept_signature));
  EXPECT_TRUE(Has(tagged));
  EXPECT_EQ(CountWithPrefix(keys::ReferrersOf(a_, DigestOf(image))), 1u);
}

TEST_P(RetentionTest, ReferrerWithoutSubjectIsTreatedAsUntagged) {
  const std::string early = SignatureOf("early", "to be pushed");
  const std::string rules = "rules: [{repositories: [a], keep: {tags: [none]}, untagged_after: 24h}]";
  clock_.Advance(absl::Hours(23));
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Removals(Apply(rules)), ElementsAre(ManifestOf(early)));
}

TEST_P(RetentionTest, RemovesCosignTagsWithTheirSubject) {
  const std::string image = PushedImage(a_, "v1");
  std::vector<std::string> tags;
  for (const char* suffix : {"", ".sig", ".att", ".sbom"}) {
    tags.push_back(TagOf(image, suffix));
    ASSERT_OK(
        catalog_->manifests().Put(kAnonymous, a_, PutByTag(tags.back(), ImageIn(a_, absl::StrCat("a ", suffix)))));
  }
  clock_.Advance(absl::Hours(1));
  PushedImage(a_, "v2");
  // This is not a tag of cosign, but an ordinary tag.
  PushedImage(a_, TagOf(image, ".other"));
  clock_.Advance(absl::Hours(1));

  // The rules for tags neither count nor remove them.
  const std::string keep = "keep: {last_tags: 3}";
  EXPECT_THAT(Removals(Apply(absl::StrCat("rules: [{repositories: [a], ", keep, ", untagged_after: 1h}]"))), IsEmpty());
  EXPECT_EQ(Tags(a_).size(), 7u);
  // The tag of their subject is removed; the image itself is kept.
  EXPECT_THAT(Removals(Apply("rules: [{repositories: [a], keep: {last_tags: 2}}]")), ElementsAre("a: tag v1"));
  EXPECT_EQ(Tags(a_).size(), 6u);
  // Rules without `keep` remove no tags.
  EXPECT_THAT(Removals(Apply("rules: [{repositories: [a], untagged_after: 1h}]")), ElementsAre(ManifestOf(image)));
  EXPECT_EQ(Tags(a_).size(), 6u);
  const RetentionReport report = Apply("rules: [{repositories: [a], keep: {last_tags: 2}, untagged_after: 1h}]");
  EXPECT_EQ(report.tags(), 4u);
  EXPECT_EQ(report.manifests(), 4u);
  EXPECT_THAT(Tags(a_), UnorderedElementsAre("v2", TagOf(image, ".other")));
}

TEST_P(RetentionTest, KeepsANewCosignTagWithoutSubject) {
  PushedImage(a_, TagOf("to be pushed", ".sig"));
  const std::string rules = "rules: [{repositories: [a], keep: {tags: [none]}}]";
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(Removals(Apply(rules)), IsEmpty());
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Removals(Apply(rules)), ElementsAre(absl::StrCat("a: tag ", TagOf("to be pushed", ".sig"))));
}

TEST_P(RetentionTest, IgnoresDeletedRepositories) {
  PushedImage(a_, "v1");
  PushedImage(b_, "v1");
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Removals(Apply("rules: [{repositories: ['**'], keep: {tags: [none]}}]")), ElementsAre("b: tag v1"));
}

TEST_P(RetentionTest, ContinuesAfterAnErrorInOneRepository) {
  PushedImage(a_, "v1");
  PushedImage(b_, "v1");
  clock_.Advance(absl::Hours(1));
  const std::string key = keys::Tag(a_, TagNamed("v1"));
  const std::string value = *engine_->get()->Get(key).value();
  const auto write = [&](const std::string& text) {
    ASSERT_OK(engine_->get()->Transact({{key}}, [&](kv::KvTransaction& transaction) {
      transaction.Put(key, text);
      return absl::OkStatus();
    }));
  };
  write("\xff");
  Retention retention(engine_->get(), &clock_, catalog_.get(), nullptr);
  const absl::Status status =
      retention.Apply(ParseRetentionRules("rules: [{repositories: ['**'], keep: {tags: [none]}}]").value(), false, GoOn)
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a: "));
  EXPECT_THAT(Tags(b_), IsEmpty());
  write(value);
}

TEST_P(RetentionTest, ListsTheFirstThousandAndCountsAll) {
  ManifestPut put = PutByTag("keep", ImageIn(a_, "image"));
  for (int i = 0; i < 1005; ++i) put.tags.push_back(TagNamed(absl::StrCat("v", i)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, put));
  clock_.Advance(absl::Hours(1));
  const RetentionReport report = Apply("rules: [{repositories: [a], keep: {tags: [keep]}}]");
  EXPECT_EQ(report.removals_size(), 1000);
  EXPECT_EQ(report.tags(), 1005u);
  EXPECT_THAT(Tags(a_), ElementsAre("keep"));
}

TEST_P(RetentionTest, StopsWhenThePaceStopsIt) {
  for (const char* tag : {"v1", "v2", "v3", "v4"}) PushedImage(a_, tag);
  clock_.Advance(absl::Hours(1));
  Retention retention(engine_->get(), &clock_, catalog_.get(), nullptr);
  int steps = 0;
  // Four tags and four manifests are read.
  EXPECT_THAT(retention
                  .Apply(ParseRetentionRules("rules: [{repositories: [a], keep: {tags: [none]}}]").value(), false,
                         [&](uint64_t, uint64_t) { return ++steps <= 10; })
                  .status(),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Tags(a_), ElementsAre("v3", "v4"));
}

}  // namespace
}  // namespace entrepot::manifest
