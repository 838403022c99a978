#include "services/manifest/format/manifest_validator.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/format/manifest_parser.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kDockerImageType[] = "application/vnd.docker.distribution.manifest.v2+json";
constexpr char kDockerListType[] = "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr char kEmptyType[] = "application/vnd.oci.empty.v1+json";

absl::StatusOr<ValidManifest> Read(absl::string_view content_type, absl::string_view content) {
  std::optional<MediaType> type;
  if (!content_type.empty()) type = MediaType::Parse(content_type).value();
  absl::StatusOr<ParsedManifest> parsed = ParseManifest(content);
  if (!parsed.ok()) return parsed.status();
  return ValidateManifest(type, *std::move(parsed));
}

std::string With(std::string text, absl::string_view from, absl::string_view to) {
  EXPECT_THAT(text, HasSubstr(std::string(from)));
  return absl::StrReplaceAll(text, {{from, to}});
}

const Blob& Config() {
  static const Blob* const config = new Blob(Upload("config"));
  return *config;
}
const Blob& Layer() {
  static const Blob* const layer = new Blob(Upload("layer"));
  return *layer;
}
std::string Image(absl::string_view more = "") { return ImageJson(Config(), {Layer()}, more); }
std::string Index(absl::string_view more = "") { return IndexJson({"child"}, more); }

TEST(ManifestValidatorTest, ReadsAnImage) {
  ASSERT_OK_AND_ASSIGN(
      const ValidManifest manifest,
      Read(kImageType, Image(absl::StrCat(",\"annotations\":{\"a\":\"b\"}", SubjectMember("subject")))));
  EXPECT_EQ(manifest.kind, ManifestKind::kImage);
  EXPECT_EQ(manifest.media_type.ToString(), kImageType);
  EXPECT_EQ(manifest.artifact_type, kConfigType);
  EXPECT_EQ(manifest.subject, DigestOf("subject"));
  EXPECT_THAT(manifest.annotations, ElementsAre(testing::Pair("a", "b")));
  ASSERT_EQ(manifest.needs.size(), 2u);
  EXPECT_LT(manifest.needs[0].digest, manifest.needs[1].digest);
  for (const ManifestNeed& need : manifest.needs) {
    EXPECT_EQ(need.digest, need.field == "config" ? Config().digest : Layer().digest);
    EXPECT_EQ(need.size_bytes, need.field == "config" ? Config().size_bytes : Layer().size_bytes);
    EXPECT_EQ(need.kind, need.field == "config" ? NeedKind::kConfig : NeedKind::kLayer);
    EXPECT_FALSE(need.may_be_missing);
  }
}

TEST(ManifestValidatorTest, ReadsAnIndex) {
  ASSERT_OK_AND_ASSIGN(const ValidManifest manifest, Read(kIndexType, Index()));
  EXPECT_EQ(manifest.kind, ManifestKind::kIndex);
  EXPECT_EQ(manifest.artifact_type, "");
  EXPECT_EQ(manifest.subject, std::nullopt);
  ASSERT_EQ(manifest.needs.size(), 1u);
  EXPECT_EQ(manifest.needs[0].field, "manifests[0]");
  EXPECT_EQ(manifest.needs[0].kind, NeedKind::kChild);
}

struct Accepted {
  std::string what;
  std::string content_type;
  std::string content;
};

TEST(ManifestValidatorTest, AcceptsManifestsOfKnownClients) {
  const std::string config = DescriptorOf(Config(), kConfigType);
  const std::string sha512 =
      DescriptorJson(kLayerType, DigestOf("layer", DigestAlgorithm::kSha512), Layer().size_bytes);
  const Accepted rows[] = {
      {"Docker schema 2", kDockerImageType, With(Image(), kImageType, kDockerImageType)},
      {"Docker list", kDockerListType, With(Index(), kIndexType, kDockerListType)},
      {"type in the header only", kImageType, With(Image(), absl::StrCat("\"mediaType\":\"", kImageType, "\","), "")},
      {"type in the content only", "", Image()},
      {"no layers", kImageType, ImageJson(Config(), {})},
      {"layers null", kImageType, absl::StrCat("{\"schemaVersion\":2,\"config\":", config, ",\"layers\":null}")},
      {"layers absent", kImageType, absl::StrCat("{\"schemaVersion\":2,\"config\":", config, "}")},
      {"empty index", kIndexType, IndexJson({})},
      {"index of blobs (build cache)", kIndexType,
       absl::StrCat("{\"schemaVersion\":2,\"manifests\":[", DescriptorOf(Layer()), ",",
                    DescriptorOf(Config(), "application/vnd.buildkit.cacheconfig.v0"), "]}")},
      {"unknown fields", kImageType, Image(",\"org.example\":{\"a\":[1.5,-3,null]},\"history\":[]")},
      {"artifact", kImageType, Image(",\"artifactType\":\"application/vnd.example\"")},
      {"artifact with the empty config and no type", kImageType, With(Image(), kConfigType, kEmptyType)},
      {"artifactType empty", kImageType, Image(",\"artifactType\":\"\"")},
      {"optional fields null", kImageType, Image(",\"subject\":null,\"annotations\":null,\"artifactType\":null")},
      {"sha512", kImageType, absl::StrCat("{\"schemaVersion\":2,\"config\":", config, ",\"layers\":[", sha512, "]}")},
      {"data", kImageType,
       absl::StrCat(
           "{\"schemaVersion\":2,\"config\":",
           DescriptorOf(Config(), kConfigType, absl::StrCat(",\"data\":\"", absl::Base64Escape("config"), "\"")),
           ",\"layers\":[]}")},
      {"one layer twice", kImageType, ImageJson(Config(), {Layer(), Layer()})},
      {"artifact type without a slash", kImageType, Image(",\"artifactType\":\"sbom\"")},
      {"layer type without a slash", kImageType, With(Image(), kLayerType, "sbom")},
      {"layer type with parameters", kImageType, With(Image(), kLayerType, "application/x+json;version=0.3")},
      {"space around", kImageType, absl::StrCat("\n ", Image(), "\n")},
      {"an empty layer", kImageType, ImageJson(Config(), {Upload("")})},
  };
  for (const Accepted& row : rows) EXPECT_OK(Read(row.content_type, row.content)) << row.what;
}

struct Refused {
  std::string what;
  std::string content_type;
  std::string content;
  // A part of the message, and the whole detail.
  std::string problem;
  std::string field;
};

TEST(ManifestValidatorTest, RefusesHostileAndBrokenManifests) {
  const std::string config = DescriptorOf(Config(), kConfigType);
  const std::string layer = DescriptorOf(Layer());
  const std::string size = absl::StrCat("\"size\":", Layer().size_bytes, "}]");
  const std::string digest = Layer().digest.ToString();
  const auto with_layer = [&](absl::string_view json) {
    return absl::StrCat("{\"schemaVersion\":2,\"config\":", config, ",\"layers\":[", json, "]}");
  };
  const Refused rows[] = {
      {"empty", kImageType, "", "the manifest is not well-formed JSON", ""},
      {"not JSON", kImageType, "hello", "the manifest is not well-formed JSON", ""},
      {"an array", kImageType, "[]", "must be an object", ""},
      {"byte order mark", kImageType, "\xEF\xBB\xBF" + Image(), "at byte 0", ""},
      {"trailing data", kImageType, Image() + "{}", "follows the value", ""},
      {"invalid UTF-8", kImageType, Image(",\"a\":\"\xFF\""), "the manifest is not well-formed JSON", ""},
      {"duplicate layers", kImageType, Image(",\"layers\":[]"), "\"layers\" occurs twice", ""},
      {"duplicate key deep within", kImageType, With(Image(), size, absl::StrCat("\"size\":1,", size)),
       "\"size\" occurs twice", ""},
      {"deep nesting", kImageType, Image(absl::StrCat(",\"a\":", std::string(100'000, '['))), "nested deeper", ""},
      {"another spelling", kImageType, Image(",\"Layers\":[]"), "also spelt \"Layers\"", "layers"},
      {"a spelling that folds", kImageType, Image(",\"layer\xC5\xBF\":[]"), "also spelt", "layers"},
      {"another spelling within", kImageType, With(Image(), size, absl::StrCat("\"Size\":1,", size)),
       "also spelt \"Size\"", "layers[0].size"},
      {"no schemaVersion", kImageType, With(Image(), "\"schemaVersion\":2,", ""), "must be 2", "schemaVersion"},
      {"schemaVersion 1", kImageType, With(Image(), "\"schemaVersion\":2", "\"schemaVersion\":1"), "must be 2",
       "schemaVersion"},
      {"schemaVersion text", kImageType, With(Image(), "\"schemaVersion\":2", "\"schemaVersion\":\"2\""),
       "must be an integer", "schemaVersion"},
      {"Content-Type differs", kIndexType, Image(), "but the Content-Type is", "mediaType"},
      {"mediaType no string", kImageType, With(Image(), absl::StrCat("\"", kImageType, "\""), "7"), "must be a string",
       "mediaType"},
      {"mediaType no type", kImageType, With(Image(), kImageType, "image"), "is invalid", "mediaType"},
      {"parameters in mediaType", kImageType, With(Image(), kImageType, absl::StrCat(kImageType, "; charset=utf-8")),
       "is invalid", "mediaType"},
      {"line feed after mediaType", "", With(Image(), kImageType, absl::StrCat(kImageType, "\\n")), "is invalid",
       "mediaType"},
      {"space before mediaType", "", With(Image(), kImageType, absl::StrCat(" ", kImageType)), "is invalid",
       "mediaType"},
      {"no type at all", "", With(Image(), absl::StrCat("\"mediaType\":\"", kImageType, "\","), ""), "is missing",
       "mediaType"},
      {"unknown type", "application/json", With(Image(), kImageType, "application/json"), "are not supported",
       "mediaType"},
      {"another case of the type", "", With(Image(), "vnd.oci", "vnd.OCI"), "are not supported", "mediaType"},
      {"Docker schema 1", "application/vnd.docker.distribution.manifest.v1+json", "{\"schemaVersion\":1}",
       "not supported any more", "mediaType"},
      {"signed schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}",
       "not supported any more", "mediaType"},
      {"OCI artifact manifest", "application/vnd.oci.artifact.manifest.v1+json", "{\"blobs\":[]}",
       "not supported any more", "mediaType"},
      {"Docker image that does not name itself", kDockerImageType,
       With(Image(), absl::StrCat("\"mediaType\":\"", kImageType, "\","), ""), "is missing", "mediaType"},
      {"schema 1 in disguise", kImageType, Image(",\"fsLayers\":[]"), "schema 1", "fsLayers"},
      {"image with manifests", kImageType, Image(",\"manifests\":[]"), "does not belong", "manifests"},
      {"index with layers", kIndexType, Index(",\"layers\":[]"), "does not belong", "layers"},
      {"index with config", kIndexType, Index(",\"config\":" + config), "does not belong", "config"},
      {"image as index", kIndexType, With(Image(), kImageType, kIndexType), "does not belong", "config"},
      {"index without manifests", kIndexType, "{\"schemaVersion\":2}", "is missing", "manifests"},
      {"missing config", kImageType, "{\"schemaVersion\":2,\"layers\":[]}", "is missing", "config"},
      {"config null", kImageType, "{\"schemaVersion\":2,\"config\":null,\"layers\":[]}", "is missing", "config"},
      {"config no object", kImageType, "{\"schemaVersion\":2,\"config\":[],\"layers\":[]}", "must be an object",
       "config"},
      {"layers no array", kImageType, absl::StrCat("{\"schemaVersion\":2,\"config\":", config, ",\"layers\":{}}"),
       "must be an array", "layers"},
      {"layer no object", kImageType, with_layer("1"), "must be an object", "layers[0]"},
      {"layer null", kImageType, with_layer(layer + ",null"), "must be an object", "layers[1]"},
      {"no mediaType", kImageType, with_layer("{}"), "is missing", "layers[0].mediaType"},
      {"no digest", kImageType, with_layer("{\"mediaType\":\"a/b\",\"size\":1}"), "is missing", "layers[0].digest"},
      {"short digest", kImageType, With(Image(), digest, digest.substr(0, 70)), "is invalid", "layers[0].digest"},
      {"unknown algorithm", kImageType, With(Image(), digest, "md5:" + digest.substr(7, 32)), "is invalid",
       "layers[0].digest"},
      {"path for a digest", kImageType, With(Image(), digest, "sha256:../../etc/passwd"), "is invalid",
       "layers[0].digest"},
      {"no size", kImageType, with_layer(absl::StrCat("{\"mediaType\":\"a/b\",\"digest\":\"", digest, "\"}")),
       "is missing", "layers[0].size"},
      {"negative size", kImageType, With(Image(), size, "\"size\":-1}]"), "must be an integer", "layers[0].size"},
      {"float size", kImageType, With(Image(), size, "\"size\":5.0}]"), "must be an integer", "layers[0].size"},
      {"size with an exponent", kImageType, With(Image(), size, "\"size\":5e0}]"), "must be an integer",
       "layers[0].size"},
      {"size 2^63", kImageType, With(Image(), size, "\"size\":9223372036854775808}]"), "must be an integer",
       "layers[0].size"},
      {"size 2^64", kImageType, With(Image(), size, "\"size\":18446744073709551616}]"), "must be an integer",
       "layers[0].size"},
      {"size as text", kImageType, With(Image(), size, "\"size\":\"5\"}]"), "must be an integer", "layers[0].size"},
      {"one digest, two sizes", kImageType, with_layer(absl::StrCat(layer, ",", With(layer, ":5}", ":6}"))),
       "differs from that of layers[0]", "layers[1].size"},
      {"data no base64", kImageType, with_layer(DescriptorOf(Layer(), kLayerType, ",\"data\":\"***\"")),
       "is not base64", "layers[0].data"},
      {"data of another size", kImageType, with_layer(DescriptorOf(Layer(), kLayerType, ",\"data\":\"bGF5\"")),
       "has 3 bytes", "layers[0].data"},
      {"data of another digest", kImageType, with_layer(DescriptorOf(Layer(), kLayerType, ",\"data\":\"TEFZRVI=\"")),
       "does not have the digest", "layers[0].data"},
      {"data of the subject", kImageType,
       Image(absl::StrCat(",\"subject\":", DescriptorOf(Layer(), kImageType, ",\"data\":\"TEFZRVI=\""))),
       "does not have the digest", "subject.data"},
      {"urls no array", kImageType, with_layer(DescriptorOf(Layer(), kLayerType, ",\"urls\":\"http://a\"")),
       "must be an array", "layers[0].urls"},
      {"subject no object", kImageType, Image(",\"subject\":\"sha256:\""), "must be an object", "subject"},
      {"subject without a digest", kImageType, Image(",\"subject\":{\"mediaType\":\"a/b\",\"size\":1}"), "is missing",
       "subject.digest"},
      {"annotations no object", kImageType, Image(",\"annotations\":[]"), "must be an object", "annotations"},
      {"annotation no string", kImageType, Image(",\"annotations\":{\"a\":1}"), "must have string values",
       "annotations"},
      {"artifactType no type", kImageType, Image(",\"artifactType\":\"a\\r\\nX-Evil: 1\""), "is invalid",
       "artifactType"},
      {"line feed after artifactType", kImageType, Image(",\"artifactType\":\"a/b\\n\""), "is invalid", "artifactType"},
      {"line break in a parameter", kImageType, Image(",\"artifactType\":\"a/b;\\r\\nX-Evil: 1\""), "is invalid",
       "artifactType"},
      {"artifactType of words", kImageType, Image(",\"artifactType\":\"not a type\""), "is invalid", "artifactType"},
      {"space after artifactType", kImageType, Image(",\"artifactType\":\"a/b; \""), "is invalid", "artifactType"},
      {"artifactType of parameters only", kImageType, Image(",\"artifactType\":\";a=b\""), "is invalid",
       "artifactType"},
      {"artifactType outside ASCII", kImageType, Image(",\"artifactType\":\"a/\xE2\x80\xAE\x62\""), "is invalid",
       "artifactType"},
      {"artifactType with NUL", kImageType, Image(",\"artifactType\":\"a/b\\u0000\""), "is invalid", "artifactType"},
      {"artifactType of 1,025 bytes", kImageType,
       Image(absl::StrCat(",\"artifactType\":\"", std::string(1025, 'a'), "\"")), "at most 1024", "artifactType"},
      {"line feed after a layer's type", kImageType, With(Image(), kLayerType, absl::StrCat(kLayerType, "\\n")),
       "is invalid", "layers[0].mediaType"},
      {"line feed after the config's type", kImageType, With(Image(), kConfigType, absl::StrCat(kConfigType, "\\n")),
       "is invalid", "config.mediaType"},
      {"line feed after a child's type", kIndexType, With(Index(), kImageType, absl::StrCat(kImageType, "\\n")),
       "is invalid", "manifests[0].mediaType"},
      {"line feed after the subject's type", kIndexType,
       Index(With(SubjectMember("subject"), kImageType, absl::StrCat(kImageType, "\\n"))), "is invalid",
       "subject.mediaType"},
  };
  for (const Refused& row : rows) {
    const absl::StatusOr<ValidManifest> manifest = Read(row.content_type, row.content);
    EXPECT_THAT(manifest, IsOciError(OciErrorCode::kManifestInvalid)) << row.what;
    EXPECT_THAT(std::string(manifest.status().message()), HasSubstr(row.problem)) << row.what;
    EXPECT_EQ(GetOciErrorDetail(manifest.status()), row.field) << row.what;
  }
}

TEST(ManifestValidatorTest, KeepsTheArtifactTypeOfTheManifest) {
  for (const char* type : {"sbom", "application/vnd.example+json", "application/vnd.example+json;version=0.3",
                           "a/b; c=\\\"d e\\\"", "A/B", "a/b/c", "urn:x~y"}) {
    ASSERT_OK_AND_ASSIGN(const ValidManifest manifest,
                         Read(kImageType, Image(absl::StrCat(",\"artifactType\":\"", type, "\""))));
    EXPECT_EQ(manifest.artifact_type, absl::StrReplaceAll(type, {{"\\\"", "\""}}));
  }
  ASSERT_OK_AND_ASSIGN(const ValidManifest fallback,
                       Read(kImageType, With(Image(), kConfigType, "application/x;version=1")));
  EXPECT_EQ(fallback.artifact_type, "application/x;version=1");
}

TEST(ManifestValidatorTest, StoredManifestMayHaveMediaTypesThatEarlierVersionsAccepted) {
  const std::string content = With(With(Image(",\"artifactType\":\"a/b;\\r\\nX: 1\""), kLayerType, "a/b\\n"),
                                   kImageType, absl::StrCat(kImageType, "; charset=utf-8"));
  EXPECT_THAT(Read(kImageType, content), IsOciError(OciErrorCode::kManifestInvalid));
  ASSERT_OK_AND_ASSIGN(ParsedManifest parsed, ParseManifest(content));
  ASSERT_OK_AND_ASSIGN(const ValidManifest manifest,
                       ValidateStoredManifest(MediaType::Parse(kImageType).value(), std::move(parsed)));
  EXPECT_EQ(manifest.media_type.ToString(), kImageType);
  EXPECT_EQ(manifest.needs.size(), 2u);
}

TEST(ManifestValidatorTest, KeepsAnUpstreamsManifestAsItIsThere) {
  const auto read = [](absl::string_view content) {
    return ValidateCachedManifest(MediaType::Parse(kImageType).value(), ParseManifest(content).value());
  };
  const std::string odd_type = Image(",\"artifactType\":\"any form\"");
  EXPECT_THAT(Read(kImageType, odd_type), IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_EQ(read(odd_type)->artifact_type, "any form");

  const std::string layer = DescriptorOf(Layer());
  Blob larger = Layer();
  ++larger.size_bytes;
  const std::string two_sizes = absl::StrCat("{\"schemaVersion\":2,\"config\":", DescriptorOf(Config(), kConfigType),
                                             ",\"layers\":[", layer, ",", DescriptorOf(larger), "]}");
  EXPECT_THAT(Read(kImageType, two_sizes), IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_EQ(read(two_sizes)->needs.size(), 2u);

  // What a client could take for another kind of manifest is refused all the same.
  EXPECT_THAT(ValidateCachedManifest(MediaType::Parse(kIndexType).value(), ParseManifest(Image("")).value()),
              IsOciError(OciErrorCode::kManifestInvalid));
}

TEST(ManifestValidatorTest, ForeignLayersMayBeMissing) {
  const auto may_be_missing = [](absl::string_view type, absl::string_view more) {
    const std::string content = absl::StrCat("{\"schemaVersion\":2,\"config\":", DescriptorOf(Config(), kConfigType),
                                             ",\"layers\":[", DescriptorOf(Layer(), type, more), "]}");
    const ValidManifest manifest = Read(kImageType, content).value();
    for (const ManifestNeed& need : manifest.needs) {
      if (need.field == "layers[0]") return need.may_be_missing;
    }
    ADD_FAILURE() << "no layer";
    return false;
  };
  EXPECT_FALSE(may_be_missing(kLayerType, ""));
  EXPECT_FALSE(may_be_missing(kLayerType, ",\"urls\":[]"));
  EXPECT_TRUE(may_be_missing(kLayerType, ",\"urls\":[\"https://example.com/x\"]"));
  EXPECT_TRUE(may_be_missing("application/vnd.oci.image.layer.nondistributable.v1.tar", ""));
  EXPECT_TRUE(may_be_missing("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", ""));
  EXPECT_TRUE(may_be_missing("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", ""));
}

TEST(ManifestValidatorTest, ForeignLayerThatIsAlsoTheConfigIsRequired) {
  const std::string foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  const std::string content = absl::StrCat("{\"schemaVersion\":2,\"config\":", DescriptorOf(Config(), kConfigType),
                                           ",\"layers\":[", DescriptorOf(Config(), foreign), "]}");
  ASSERT_OK_AND_ASSIGN(const ValidManifest manifest, Read(kImageType, content));
  ASSERT_EQ(manifest.needs.size(), 1u);
  EXPECT_FALSE(manifest.needs[0].may_be_missing);
  EXPECT_EQ(manifest.needs[0].kind, NeedKind::kConfig);
}

TEST(ManifestValidatorTest, BoundsDescriptors) {
  const auto image_with_layers = [](size_t count) { return ImageJson(Config(), std::vector<Blob>(count, Layer())); };
  EXPECT_OK(Read(kImageType, image_with_layers(kDescriptorsMax)));
  const auto refused = Read(kImageType, image_with_layers(kDescriptorsMax + 1));
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_EQ(GetOciErrorDetail(refused.status()), "layers");
}

TEST(ManifestValidatorTest, AcceptsAManifestOfFourMebibytes) {
  std::vector<std::string> annotations;
  for (int i = 0; i < 400; ++i) annotations.push_back(absl::StrCat("\"a", i, "\":\"", std::string(10'000, 'A'), "\""));
  const std::string more = absl::StrCat(",\"annotations\":{", absl::StrJoin(annotations, ","), "}");
  ASSERT_OK_AND_ASSIGN(const ValidManifest manifest, Read(kImageType, Image(more)));
  EXPECT_EQ(manifest.annotations.size(), 400u);
}

}  // namespace
}  // namespace entrepot::manifest
