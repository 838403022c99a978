#include "services/manifest/records/metadata_keys.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::manifest::keys {
namespace {

constexpr absl::string_view kSeparator("\0", 1);

RepositoryName Name(absl::string_view text) { return *RepositoryName::Parse(text); }
entrepot::Tag TagNamed(absl::string_view text) { return *entrepot::Tag::Parse(text); }
Digest DigestOf(char hex) { return *Digest::Parse(absl::StrCat("sha256:", std::string(64, hex))); }

TEST(MetadataKeysTest, LayoutIsFrozen) {
  const std::string a = DigestOf('a').ToString();
  const std::string b = DigestOf('b').ToString();
  EXPECT_EQ(kFormatVersion, 1);
  EXPECT_EQ(Format(), "f/manifest");
  EXPECT_EQ(Blob(DigestOf('a')), "b/" + a);
  EXPECT_EQ(Link(DigestOf('a'), Name("x/y")), absl::StrCat("l/", a, kSeparator, "x/y"));
  EXPECT_EQ(Repository(Name("x/y")), "n/x/y");
  EXPECT_EQ(Manifest(Name("x/y"), DigestOf('a')), absl::StrCat("m/x/y", kSeparator, a));
  EXPECT_EQ(Tag(Name("x/y"), TagNamed("v1")), absl::StrCat("t/x/y", kSeparator, "v1"));
  EXPECT_EQ(TagOfManifest(Name("x/y"), DigestOf('a'), TagNamed("v1")),
            absl::StrCat("d/x/y", kSeparator, a, kSeparator, "v1"));
  EXPECT_EQ(Referrer(Name("x/y"), DigestOf('a'), DigestOf('b')), absl::StrCat("s/x/y", kSeparator, a, kSeparator, b));
  EXPECT_EQ(Reference(DigestOf('a'), Name("x/y"), DigestOf('b')),
            absl::StrCat("r/", a, kSeparator, "x/y", kSeparator, b));
  EXPECT_EQ(Review(absl::FromUnixMicros(0xABC), DigestOf('a')), absl::StrCat("q/0000000000000ABC", kSeparator, a));
  const std::string storage_key = "f" + std::string(32, '7');
  EXPECT_EQ(DeleteIntent(*StorageKey::Parse(storage_key)), "x/" + storage_key);
  EXPECT_EQ(Pull(Name("x/y"), TagNamed("v1")), absl::StrCat("p/x/y", kSeparator, "v1"));
  EXPECT_EQ(ManifestUse(Name("x/y"), DigestOf('a')), absl::StrCat("w/x/y", kSeparator, a));
  EXPECT_EQ(PullTracking(), "g/pulls");
  EXPECT_EQ(Collection(absl::FromUnixMicros(0xABC)), absl::StrCat("g/history", kSeparator, "0000000000000ABC"));
  EXPECT_EQ(Scrub(), "g/scrub");
  EXPECT_EQ(StoreBinding(), "g/store");
  EXPECT_EQ(ClockState(), "g/clock");
  EXPECT_EQ(ObjectRemovals(), "g/removals");
}

TEST(MetadataKeysTest, PrefixesMatchOnlyTheirOwnKeys) {
  const std::vector<std::string> names = {"a", "a/b", "a-b", "a.b", "ab", "a/b/c"};
  for (const std::string& name : names) {
    for (const std::string& other : names) {
      EXPECT_EQ(absl::StartsWith(Tag(Name(other), TagNamed("v1")), TagsOf(Name(name))), name == other);
      EXPECT_EQ(absl::StartsWith(Manifest(Name(other), DigestOf('a')), ManifestsOf(Name(name))), name == other);
      EXPECT_EQ(absl::StartsWith(Reference(DigestOf('a'), Name(other), DigestOf('b')),
                                 ReferencesTo(DigestOf('a'), Name(name))),
                name == other);
      EXPECT_EQ(
          absl::StartsWith(Referrer(Name(other), DigestOf('a'), DigestOf('b')), ReferrersOf(Name(name), DigestOf('a'))),
          name == other);
      EXPECT_EQ(absl::StartsWith(TagOfManifest(Name(other), DigestOf('a'), TagNamed("v")),
                                 TagsOfManifest(Name(name), DigestOf('a'))),
                name == other);
    }
    EXPECT_TRUE(absl::StartsWith(Repository(Name(name)), Repositories()));
    EXPECT_TRUE(absl::StartsWith(Link(DigestOf('a'), Name(name)), LinksOf(DigestOf('a'))));
    EXPECT_TRUE(absl::StartsWith(Link(DigestOf('a'), Name(name)), Links()));
    EXPECT_TRUE(absl::StartsWith(Reference(DigestOf('a'), Name(name), DigestOf('b')), ReferencesTo(DigestOf('a'))));
  }
  const std::string below = LinksBelow(DigestOf('a'), "a");
  EXPECT_TRUE(absl::StartsWith(Link(DigestOf('a'), Name("a/b")), below));
  for (const char* const other : {"a", "a-b/c", "ab/c"}) {
    EXPECT_FALSE(absl::StartsWith(Link(DigestOf('a'), Name(other)), below)) << other;
  }
}

TEST(MetadataKeysTest, KeysSortByComponent) {
  std::vector<std::string> keys = {Tag(Name("a"), TagNamed("z")), Tag(Name("a-b"), TagNamed("a")),
                                   Tag(Name("a/b"), TagNamed("a")), Tag(Name("b"), TagNamed("a"))};
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(MetadataKeysTest, ReviewsSortByTime) {
  const std::vector<absl::Time> times = {absl::UnixEpoch(), absl::FromUnixMicros(15), absl::FromUnixMicros(16),
                                         absl::FromUnixSeconds(1'700'000'000), absl::FromUnixSeconds(100'000'000'000)};
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_LT(Review(times[i - 1], DigestOf('f')), Review(times[i], DigestOf('0')));
  }
  EXPECT_EQ(RoundDue(absl::FromUnixNanos(1999)), absl::FromUnixMicros(1));
  EXPECT_EQ(RoundDue(absl::InfinitePast()), absl::UnixEpoch());
}

TEST(MetadataKeysTest, DecodeInvertsEncode) {
  const Digest a = DigestOf('a');
  const Digest b = *Digest::Parse(absl::StrCat("sha512:", std::string(128, 'b')));
  const RepositoryName name = Name("x/y");
  EXPECT_EQ(Decode(Format())->kind, Kind::kFormat);
  EXPECT_EQ(Decode(Blob(b))->digest, b);
  EXPECT_EQ(Decode(Link(a, name))->repository, name);
  EXPECT_EQ(Decode(Repository(name))->repository, name);
  EXPECT_EQ(Decode(Manifest(name, b))->digest, b);
  EXPECT_EQ(Decode(Tag(name, TagNamed("v1")))->tag, TagNamed("v1"));
  EXPECT_EQ(Decode(TagOfManifest(name, a, TagNamed("v1")))->kind, Kind::kTagOfManifest);
  EXPECT_EQ(Decode(Referrer(name, a, b))->digest, a);
  EXPECT_EQ(Decode(Referrer(name, a, b))->manifest, b);
  EXPECT_EQ(Decode(Reference(a, name, b))->digest, a);
  EXPECT_EQ(Decode(Reference(a, name, b))->manifest, b);
  EXPECT_EQ(Decode(Review(absl::FromUnixMicros(77), a))->due, absl::FromUnixMicros(77));
  const StorageKey storage_key = *StorageKey::Parse("k" + std::string(32, '0'));
  EXPECT_EQ(Decode(DeleteIntent(storage_key))->storage_key, storage_key);
  EXPECT_EQ(Decode(Pull(name, TagNamed("v1")))->kind, Kind::kPull);
  EXPECT_EQ(Decode(Pull(name, TagNamed("v1")))->repository, name);
  EXPECT_EQ(Decode(Pull(name, TagNamed("v1")))->tag, TagNamed("v1"));
  EXPECT_EQ(Decode(FetchClaim(Name("docker.io"), b))->kind, Kind::kFetchClaim);
  EXPECT_EQ(Decode(FetchClaim(Name("docker.io"), b))->repository, Name("docker.io"));
  EXPECT_EQ(Decode(FetchClaim(Name("docker.io"), b))->digest, b);
  EXPECT_EQ(Decode(ManifestUse(name, b))->kind, Kind::kManifestUse);
  EXPECT_EQ(Decode(ManifestUse(name, b))->repository, name);
  EXPECT_EQ(Decode(ManifestUse(name, b))->digest, b);
  EXPECT_EQ(Decode(PullTracking())->kind, Kind::kPullTracking);
  EXPECT_EQ(Decode(Collection(absl::FromUnixMicros(77)))->kind, Kind::kCollection);
  EXPECT_EQ(Decode(Collection(absl::FromUnixMicros(77)))->due, absl::FromUnixMicros(77));
  EXPECT_EQ(Decode(Scrub())->kind, Kind::kScrub);
  EXPECT_EQ(Decode(StoreBinding())->kind, Kind::kStoreBinding);
  EXPECT_EQ(Decode(ClockState())->kind, Kind::kClockState);
  EXPECT_EQ(Decode(ObjectRemovals())->kind, Kind::kObjectRemovals);
  EXPECT_EQ(Decode(DeletionPause())->kind, Kind::kDeletionPause);
  EXPECT_EQ(Decode(WorkLeases())->kind, Kind::kWorkLeases);
  EXPECT_EQ(Decode(Job("5f-1"))->kind, Kind::kJob);
  EXPECT_EQ(Decode(Job("5f-1"))->job_id, "5f-1");
}

TEST(MetadataKeysTest, EveryKeyHasItsPrefix) {
  const std::vector<absl::string_view> prefixes = Prefixes();
  for (const std::string& key : {Blob(DigestOf('a')),
                                 Link(DigestOf('a'), Name("x")),
                                 Repository(Name("x")),
                                 Manifest(Name("x"), DigestOf('a')),
                                 Tag(Name("x"), TagNamed("v")),
                                 TagOfManifest(Name("x"), DigestOf('a'), TagNamed("v")),
                                 Referrer(Name("x"), DigestOf('a'), DigestOf('b')),
                                 Reference(DigestOf('a'), Name("x"), DigestOf('b')),
                                 Review(absl::UnixEpoch(), DigestOf('a')),
                                 DeleteIntent(*StorageKey::Parse("k" + std::string(32, '0'))),
                                 Pull(Name("x"), TagNamed("v")),
                                 ManifestUse(Name("x"), DigestOf('a')),
                                 FetchClaim(Name("x"), DigestOf('a')),
                                 PullTracking(),
                                 Collection(absl::UnixEpoch()),
                                 Scrub(),
                                 StoreBinding(),
                                 ClockState(),
                                 ObjectRemovals(),
                                 DeletionPause(),
                                 WorkLeases(),
                                 Job("1-1")}) {
    EXPECT_EQ(std::count_if(prefixes.begin(), prefixes.end(),
                            [&](absl::string_view prefix) { return absl::StartsWith(key, prefix); }),
              1)
        << key;
  }
}

TEST(MetadataKeysTest, DecodeRefusesOtherKeys) {
  const std::string due = "q/0000000000000abc" + std::string(kSeparator) + DigestOf('a').ToString();
  for (const std::string& key : {std::string(), std::string("b/"), std::string("b/sha256:1"), std::string("f/blob"),
                                 std::string("u/0"), std::string("g/"), Jobs(), Scrub() + "s", Collections(),
                                 Tag(Name("a"), TagNamed("b")) + std::string(kSeparator), due}) {
    EXPECT_EQ(Decode(key).status().code(), absl::StatusCode::kDataLoss) << key;
  }
}

}  // namespace
}  // namespace entrepot::manifest::keys
