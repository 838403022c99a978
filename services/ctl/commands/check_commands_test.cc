#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/ctl/testing/stopped_registry.h"

namespace entrepot::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckCommandsTest : public CommandTest {};

TEST_F(CheckCommandsTest, ChecksARunningRegistry) {
  EXPECT_EQ(RunJob({"check"}, R"({"checkInvariants": {}})", R"("invariants": {"blobs": "2", "manifests": "1"})"),
            "no violations: 2 blobs, 1 manifest\n");
  EXPECT_EQ(RunJob({"check", "--rehash"}, R"({"checkInvariants": {"rehash": true}})",
                   R"("invariants": {"violations": ["I1: gone"], "rehashedBytes": "1024"})", kFailed),
            "I1: gone\n1 violation: 0 blobs, 0 manifests, 1.0 KiB read again\n");
  EXPECT_THAT(RunJob({"check", "--output=json"}, R"({"checkInvariants": {}})", R"("invariants": {"blobs": "2"})"),
              HasSubstr("\"blobs\": \"2\""));
  ExpectRefusalIsReported({"check"});
}

TEST_F(CheckCommandsTest, ChecksAStoppedStandaloneRegistry) {
  const std::string data = PathOf("data");
  MakeStandaloneDirectory(data);
  for (const bool rehash : {false, true}) {
    const Outcome outcome = rehash ? Run({"check", "--data", data, "--rehash"}) : Run({"check", "--data=" + data});
    EXPECT_EQ(outcome.code, kOk) << outcome.err;
    EXPECT_EQ(outcome.out, "no violations: 0 blobs, 0 manifests\n");
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(CheckCommandsTest, ChecksAStoppedSplitRegistry) {
  MakeManifestDirectory(PathOf("m"));
  MakeBlobDirectory(PathOf("b"));
  const Outcome outcome = Run({"check", "--manifest", PathOf("m"), "--blobs", PathOf("b"), "--output", "json"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_TRUE(IsSameJson(outcome.out,
                         R"({"violations": [], "blobs": "0", "manifests": "0", "rehashedBytes": "0", "absent": "0"})"));
}

TEST_F(CheckCommandsTest, PrintsViolationsOfAStoppedRegistry) {
  const std::string data = PathOf("data");
  MakeStandaloneDirectory(data);
  const std::string digest = WriteDamagedBlobRecord(data);
  const Outcome outcome = Run({"check", "--data", data});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(digest), HasSubstr("1 violation: 1 blob, 0 manifests\n")));
}

TEST_F(CheckCommandsTest, RejectsOtherDirectories) {
  const Outcome missing = Run({"check", "--data", "/nowhere"});
  EXPECT_EQ(missing.code, kFailed);
  EXPECT_EQ(missing.err, "entrepotctl: /nowhere is not a data directory of a registry: it contains no blobs\n");
  MakeBlobDirectory(PathOf("b"));
  const Outcome blobs = Run({"check", "--data", PathOf("b")});
  EXPECT_EQ(blobs.code, kFailed);
  EXPECT_THAT(blobs.err, HasSubstr("these are not the records of a manifest service"));
}

TEST_F(CheckCommandsTest, RejectsHalfOfASplitRegistry) {
  EXPECT_THAT(UsageError({"check", "--manifest", "m"}), HasSubstr("--manifest and --blobs"));
  EXPECT_THAT(UsageError({"check", "--blobs", "b"}), HasSubstr("--manifest and --blobs"));
  EXPECT_THAT(UsageError({"check", "--manifest", "m", "--blobs", "b", "--data", "d"}), HasSubstr("--data"));
  EXPECT_THAT(UsageError({"check", "--data"}), HasSubstr("--data needs a value"));
  EXPECT_THAT(UsageError({"check", "--rehash=yes"}), HasSubstr("--rehash takes no value"));
  EXPECT_THAT(UsageError({"check", "data"}), HasSubstr("unexpected argument data"));
}

TEST_F(CheckCommandsTest, ScrubFailsIfItFindsDamage) {
  EXPECT_THAT(RunJob({"scrub"}, R"({"scrub": {}})", R"("scrub": {"verified": "2", "verifiedBytes": "10"})"),
              HasSubstr("2 good blobs, 10 B; 0 corrupt, 0 missing\n"));
  EXPECT_THAT(RunJob({"scrub"}, R"({"scrub": {}})", R"("scrub": {"corrupt": "1"})", kFailed),
              HasSubstr("1 corrupt, 0 missing\n"));
  EXPECT_THAT(RunJob({"scrub", "--output=json"}, R"({"scrub": {}})", R"("scrub": {"missing": "1"})", kFailed),
              HasSubstr("\"missing\": \"1\""));
  EXPECT_THAT(RunJob({"scrub"}, R"({"scrub": {}})", R"("scrub": {"verified": "2", "failed": "1"})", kFailed),
              HasSubstr("0 missing, 1 could not be verified\n"));
  ExpectRefusalIsReported({"scrub"});
}

TEST_F(CheckCommandsTest, ScrubStatusFailsIfABlobIsCorrupt) {
  EXPECT_THAT(
      RunAndExpectPost({"scrub", "status"}, "/entrepot/v1/maintain", R"({"getStatus": {}})", R"({"status": {}})"),
      HasSubstr("no blob is corrupt\n"));
  const std::string answer = R"({"status": {"corrupt": [{"digest": "sha256:bb", "repositories": ["team/app"]}]}})";
  EXPECT_THAT(RunAndExpectPost({"scrub", "status"}, "/entrepot/v1/maintain", R"({"getStatus": {}})", answer, kFailed),
              AllOf(HasSubstr("sha256:bb"), HasSubstr("team/app")));
  ExpectRefusalIsReported({"scrub", "status"});
  EXPECT_THAT(UsageError({"scrub", "stauts"}), HasSubstr("unexpected argument stauts"));
}

}  // namespace
}  // namespace entrepot::ctl
