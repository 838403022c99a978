#include "services/ctl/output/backup_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;
using ::testing::HasSubstr;

TEST(BackupTextTest, NamesThePartsOfAStandaloneBackup) {
  v1::Backup backup;
  backup.set_directory("/my data/backups/it's");
  backup.set_objects_directory("/my data/backups/it's");
  backup.set_objects(1);
  backup.set_object_bytes(2048);
  backup.set_blobs(3);
  backup.set_blob_bytes(3072);
  EXPECT_EQ(
      BackupText(backup),
      "backed up 3 blobs, 3.0 KiB\n"
      "PART     DIRECTORY                    CONTENT\n"
      "records  /my data/backups/it's/kv     manifests, tags, the records of blobs, small blobs, accounts\n"
      "objects  /my data/backups/it's/blobs  1 object, 2.0 KiB: all blobs over 64 KiB\n"
      "on the registry's machine; the configuration, the files of accounts and policies, and TLS keys are not part "
      "of it\n"
      "to restore it: entrepotctl restore '/my data/backups/it'\\''s' NEW-DATA\n");
}

TEST(BackupTextTest, NamesHowToFindDamagedBlobs) {
  v1::Backup backup;
  backup.set_directory("/d/backups/n");
  backup.set_damaged_blobs(2);
  EXPECT_THAT(BackupText(backup),
              HasSubstr("to restore it: entrepotctl restore /d/backups/n NEW-DATA --accept-damaged\n"
                        "2 blobs are damaged or missing: `entrepotctl check` lists them; push their content again, and "
                        "make another backup\n"));
}

TEST(BackupTextTest, AnswerOfAnEarlierRegistryNamesOneDirectory) {
  v1::Backup backup;
  backup.set_directory("/d/backups/n");
  EXPECT_THAT(BackupText(backup), HasSubstr("to restore it: entrepotctl restore /d/backups/n NEW-DATA\n"));
}

TEST(BackupTextTest, RestoredDirectoriesOfScriptsServe) {
  EXPECT_EQ(ServeText({.manifest = "/x/standalone/", .blobs = "/x/standalone/"}, false),
            "to serve it: scripts/serve --data /x\n");
  EXPECT_EQ(ServeText({.manifest = "/x/standalone", .blobs = "/x/standalone"}, true),
            "to serve it: scripts/serve --data /x --accounts FILE --policy FILE\n");
  EXPECT_EQ(ServeText({.manifest = "/x/split/manifest", .blobs = "/x/split/blob"}, false),
            "to serve it: scripts/serve --split --data /x\n");
  EXPECT_EQ(ServeText({.manifest = "/x/split/manifest", .blobs = "/x/split/blob", .accounts = "/x/split/auth"}, true),
            "to serve it: scripts/serve --split --data /x --accounts FILE --policy FILE\n");
}

TEST(BackupTextTest, OtherRestoredDirectories) {
  EXPECT_EQ(ServeText({.manifest = "/srv/e", .blobs = "/srv/e"}, false),
            "to serve it: entrepot --config FILE, with data_directory: /srv/e in the file\n"
            "(scripts/serve --data DIR serves it if it is the directory DIR/standalone)\n");
  EXPECT_EQ(
      ServeText({.manifest = "/new/m", .blobs = "/new/b", .accounts = "/new/a"}, true),
      "to serve it, run each program with --config FILE, and with this line in its file:\n"
      "  entrepot-manifest  data_directory: /new/m\n"
      "  entrepot-blob      data_directory: /new/b\n"
      "  entrepot-auth      data_directory: /new/a\n"
      "and entrepot-gateway (scripts/serve --split --data DIR --accounts FILE --policy FILE serves them if they are "
      "DIR/split/manifest, DIR/split/blob and DIR/split/auth)\n");
  // A blob service's directory elsewhere.
  EXPECT_THAT(ServeText({.manifest = "/x/split/manifest", .blobs = "/y/split/blob"}, false),
              HasSubstr("entrepot-blob      data_directory: /y/split/blob\n"));
}

}  // namespace
}  // namespace entrepot::ctl
