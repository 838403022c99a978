#include <filesystem>
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
using ::testing::MatchesRegex;

constexpr char kBackupDone[] =
    R"({"job": {"state": "DONE", "backup": {"name": "nightly", "directory": "/d/backups/nightly", "objects": "1",
        "objectBytes": "5", "objectsDirectory": "/b/backups/nightly", "blobs": "3", "blobBytes": "9"}}})";

class BackupCommandsTest : public CommandTest {
 protected:
  bool Exists(const std::string& name) const { return std::filesystem::exists(PathOf(name)); }
};

TEST_F(BackupCommandsTest, BackupIncludesTheAccounts) {
  http_.Answer(kBackupDone);
  http_.Answer(R"({"accountsBackup": {"directory": "/a/backups/nightly"}})");
  const Outcome outcome = Run({"backup", "nightly"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(
      outcome.out,
      "backed up 3 blobs, 9 B\n"
      "PART              DIRECTORY           CONTENT\n"
      "manifest service  /d/backups/nightly  manifests, tags, the records of blobs\n"
      "blob service      /b/backups/nightly  1 object, 5 B: all blobs over 64 KiB; small blobs, upload sessions\n"
      "auth service      /a/backups/nightly  accounts and keys that sign tokens\n"
      "each on its service's machine; the configuration, the files of accounts and policies, and TLS keys are not "
      "part of it\n"
      "to restore it: entrepotctl restore /d/backups/nightly NEW-MANIFEST-DATA --blobs /b/backups/nightly "
      "--blobs-data NEW-BLOB-DATA --accounts /a/backups/nightly --accounts-data NEW-AUTH-DATA\n");
  ASSERT_EQ(http_.requests.size(), 2u);
  EXPECT_EQ(http_.requests[0].url, "http://localhost:5000/entrepot/v1/maintain");
  EXPECT_TRUE(IsSameJson(http_.requests[0].body, R"({"startJob": {"backUp": {"name": "nightly"}}})"));
  EXPECT_EQ(http_.requests[1].url, "http://localhost:5000/entrepot/v1/administer");
  EXPECT_TRUE(IsSameJson(http_.requests[1].body, R"({"backUpAccounts": {"name": "nightly"}})"));
}

TEST_F(BackupCommandsTest, BackupOfARegistryWithoutAccountsIsOneRequest) {
  http_.token = {404, ""};
  http_.Answer(kBackupDone);
  const Outcome outcome = Run({"backup", "nightly", "--output", "json"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_TRUE(IsSameJson(outcome.out, R"({"name": "nightly", "directory": "/d/backups/nightly", "objects": "1",
                                          "objectBytes": "5", "accountsDirectory": "", "blobs": "3", "blobBytes": "9",
                                          "objectsDirectory": "/b/backups/nightly", "damagedBlobs": "0"})"));
  EXPECT_EQ(http_.requests.size(), 1u);
}

TEST_F(BackupCommandsTest, BackupIsNamedByTheTimeByDefault) {
  http_.Answer(kBackupDone);
  http_.Answer(R"({"accountsBackup": {}})");
  EXPECT_EQ(Run({"backup"}).code, kOk);
  EXPECT_THAT(http_.requests.at(0).body,
              MatchesRegex(R"re(\{"startJob":\{"backUp":\{"name":"[0-9]{8}-[0-9]{6}"\}\}\})re"));
}

TEST_F(BackupCommandsTest, BackupReportsErrors) {
  ExpectRefusalIsReported({"backup"});
  http_.Answer(kBackupDone);
  http_.AnswerWith(HttpAnswer{503, ""});
  const Outcome outcome = Run({"backup"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err,
            "entrepotctl: records and objects are backed up, the accounts are not: the registry answered 503\n");
  EXPECT_THAT(UsageError({"backup", "a", "b"}), HasSubstr("unexpected argument b"));
}

TEST_F(BackupCommandsTest, BackupWithDamagedBlobsExitsWith1) {
  http_.token = {404, ""};
  constexpr char kDamaged[] =
      R"({"job": {"state": "DONE", "backup": {"name": "n", "directory": "/d/backups/n", "damagedBlobs": "1"}}})";
  http_.Answer(kDamaged);
  const Outcome outcome = Run({"backup", "n"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr("\n1 blob is damaged or missing: `entrepotctl check` lists them"));
  http_.Answer(kDamaged);
  EXPECT_EQ(Run({"backup", "n", "--output", "json"}).code, kFailed);
}

TEST_F(BackupCommandsTest, RestoresAStandaloneRegistry) {
  MakeStandaloneDirectory(PathOf("backup"));
  const std::string data = std::filesystem::path(PathOf("deep/data")).lexically_normal();
  const Outcome restored = Run({"restore", PathOf("backup"), data});
  EXPECT_EQ(restored.code, kOk) << restored.err;
  EXPECT_EQ(restored.out, "no violations: 0 blobs, 0 manifests\nrestored to " + data +
                              "\nto serve it: entrepot --config FILE, with data_directory: " + data +
                              " in the file\n(scripts/serve --data DIR serves it if it is the directory "
                              "DIR/standalone)\n");
  EXPECT_FALSE(Exists("deep/data.restoring"));
  const Outcome checked = Run({"check", "--data", data});
  EXPECT_EQ(checked.code, kOk) << checked.err;
  EXPECT_TRUE(http_.requests.empty() && http_.logins.empty());
}

TEST_F(BackupCommandsTest, RestoresASplitRegistry) {
  MakeManifestDirectory(PathOf("m"));
  MakeBlobDirectory(PathOf("b"));
  MakeAuthDirectory(PathOf("a"));
  const Outcome outcome =
      Run({"restore", PathOf("m"), PathOf("new-m"), "--blobs", PathOf("b"), "--blobs-data", PathOf("new-b"),
           "--accounts", PathOf("a"), "--accounts-data", PathOf("new-a"), "--output=json"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_TRUE(IsSameJson(outcome.out,
                         R"({"violations": [], "blobs": "0", "manifests": "0", "rehashedBytes": "0", "absent": "0"})"));
  EXPECT_EQ(Run({"check", "--manifest", PathOf("new-m"), "--blobs", PathOf("new-b")}).code, kOk);
  EXPECT_TRUE(Exists("new-a/kv"));
}

TEST_F(BackupCommandsTest, RestoresNothingFromADamagedBackup) {
  MakeStandaloneDirectory(PathOf("backup"));
  const std::string digest = WriteDamagedBlobRecord(PathOf("backup"));
  const Outcome outcome = Run({"restore", PathOf("backup"), PathOf("data")});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(digest), HasSubstr("1 violation")));
  EXPECT_EQ(outcome.err, "entrepotctl: the backup is damaged; nothing was restored\n");
  EXPECT_FALSE(Exists("data"));
  EXPECT_FALSE(Exists("data.restoring"));
}

TEST_F(BackupCommandsTest, AcceptsNoDamageButThatOfBlobs) {
  MakeStandaloneDirectory(PathOf("backup"));
  WriteDamagedBlobRecord(PathOf("backup"));
  const Outcome outcome = Run({"restore", PathOf("backup"), PathOf("data"), "--accept-damaged"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("nothing was restored; --accept-damaged accepts only damaged and missing blobs"));
  EXPECT_FALSE(Exists("data") || Exists("data.restoring"));
}

TEST_F(BackupCommandsTest, RestoresWithoutDamagedBlobsIfAsked) {
  MakeStandaloneDirectory(PathOf("backup"));
  const std::string digest = WriteRecordOfMissingBlob(PathOf("backup"));
  const Outcome refused = Run({"restore", PathOf("backup"), PathOf("data")});
  EXPECT_EQ(refused.code, kFailed);
  EXPECT_THAT(refused.out, HasSubstr("I1: " + digest));
  EXPECT_THAT(refused.err, HasSubstr("to restore everything else, use --accept-damaged"));
  EXPECT_FALSE(Exists("data") || Exists("data.restoring"));

  const Outcome restored = Run({"restore", PathOf("backup"), PathOf("data"), "--accept-damaged"});
  EXPECT_EQ(restored.code, kOk) << restored.err;
  EXPECT_THAT(restored.out, AllOf(HasSubstr("I1: " + digest + " has no bytes\n1 violation: 1 blob"),
                                  HasSubstr("served as unknown until the same content is pushed again")));
  // It is CORRUPT now, and no manifest refers to it.
  const Outcome checked = Run({"check", "--data", PathOf("data")});
  EXPECT_EQ(checked.code, kOk) << checked.out;
  // A backup of the restored data would have it as well.
  const Outcome again = Run({"restore", PathOf("data"), PathOf("again"), "--accept-damaged"});
  EXPECT_THAT(again.out, HasSubstr("I1: " + digest + " was CORRUPT\n"));
}

TEST_F(BackupCommandsTest, RestoreOfDataWithAccountsNamesTheirFiles) {
  MakeStandaloneDirectory(PathOf("backup"));
  MakeAuthDirectory(PathOf("backup"));
  const Outcome outcome = Run({"restore", PathOf("backup"), PathOf("x/standalone")});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("/x --accounts FILE --policy FILE\n"));
}

TEST_F(BackupCommandsTest, RestoresNothingIfTheAccountsCannotBeRestored) {
  MakeManifestDirectory(PathOf("m"));
  MakeBlobDirectory(PathOf("b"));
  const Outcome outcome = Run({"restore", PathOf("m"), PathOf("new-m"), "--blobs", PathOf("b"), "--blobs-data",
                               PathOf("new-b"), "--accounts", PathOf("m"), "--accounts-data", PathOf("new-a")});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("contains no records of an auth service"));
  EXPECT_FALSE(Exists("new-m") || Exists("new-b") || Exists("new-a"));
}

TEST_F(BackupCommandsTest, RestoreRejectsWrongDirectories) {
  MakeStandaloneDirectory(PathOf("backup"));
  EXPECT_THAT(UsageError({"restore", "/nowhere", PathOf("data")}),
              HasSubstr("/nowhere is not a backup, or is incomplete: it contains no kv"));
  MakeManifestDirectory(PathOf("m"));
  EXPECT_THAT(UsageError({"restore", PathOf("m"), PathOf("data")}), HasSubstr("it contains no blobs"));
  WriteFile("file", "x");
  EXPECT_THAT(UsageError({"restore", PathOf("backup"), PathOf("")}), HasSubstr("exists and is not empty"));
  EXPECT_THAT(UsageError({"restore", PathOf("backup"), PathOf("file")}), HasSubstr("exists and is not empty"));
}

TEST_F(BackupCommandsTest, RestoreNeedsItsArgumentsAndOptionsInPairs) {
  EXPECT_THAT(UsageError({"restore", "b"}), HasSubstr("DATA is required"));
  EXPECT_THAT(UsageError({"restore", "b", "d", "e"}), HasSubstr("unexpected argument e"));
  EXPECT_THAT(UsageError({"restore", "b", "d", "--blobs", "x"}), HasSubstr("--blobs and --blobs-data need each other"));
  EXPECT_THAT(UsageError({"restore", "b", "d", "--accounts-data", "x"}),
              HasSubstr("--accounts and --accounts-data need each other"));
}

}  // namespace
}  // namespace entrepot::ctl
