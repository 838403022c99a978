#include "services/upstream/names/upstreams_defaults.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

using config::v1::Upstream;
using config::v1::Upstreams;
using testing::ElementsAre;
using testing::IsEmpty;

Upstreams Read(const std::string& text) {
  Upstreams file;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file)) << text;
  return file;
}

Upstreams Filled(const std::string& text) {
  Upstreams file = Read(text);
  FillDefaults(&file);
  return file;
}

std::vector<std::string> AliasesOf(const Upstream& upstream) {
  return {upstream.aliases().begin(), upstream.aliases().end()};
}

TEST(UpstreamsDefaultsTest, FillsInDockerHub) {
  EXPECT_EQ(Filled("upstreams { name: 'docker.io' }").DebugString(), Read(R"(
    upstreams {
      name: 'docker.io'
      aliases: ['registry-1.docker.io', 'index.docker.io']
      url: 'https://registry-1.docker.io'
      allow_private_addresses: false
      tag_ttl { seconds: 300 }
      stale_while_revalidate {}
      negative_ttl { seconds: 20 }
      connections_max: 16
    }
  )")
                                                                         .DebugString());
}

TEST(UpstreamsDefaultsTest, TheUrlIsThatOfTheName) {
  for (const std::string name : {"quay.io", "ghcr.io", "registry.k8s.io", "gcr.io", "mcr.microsoft.com",
                                 "public.ecr.aws", "registry.gitlab.com", "registry.example"}) {
    const Upstreams file = Filled("upstreams { name: '" + name + "' }");
    EXPECT_EQ(file.upstreams(0).url(), "https://" + name);
    EXPECT_THAT(AliasesOf(file.upstreams(0)), IsEmpty());
  }
  EXPECT_EQ(Filled("upstreams { name: 'local' }").upstreams(0).url(), "");
  EXPECT_EQ(Filled("upstreams { name: 'Quay.IO' }").upstreams(0).url(), "");
  EXPECT_EQ(Filled("upstreams {}").upstreams(0).url(), "");
}

TEST(UpstreamsDefaultsTest, KeepsWhatIsGiven) {
  const std::string text = R"(
    upstreams {
      name: 'docker.io'
      aliases: ['registry-1.docker.io', 'index.docker.io']
      url: 'http://127.0.0.1:5001'
      credentials { helper: '/h' helper_lifetime {} }
      allow_private_addresses: false
      tag_ttl {}
      stale_while_revalidate { seconds: 1 }
      stale_max { seconds: 2 }
      negative_ttl {}
      connections_max: 1
    }
    default_upstream: 'docker.io'
  )";
  EXPECT_EQ(Filled(text).DebugString(), Read(text).DebugString());
}

TEST(UpstreamsDefaultsTest, FillingInAgainChangesNothing) {
  const Upstreams once = Filled("upstreams { name: 'docker.io' credentials {} } upstreams { name: 'quay.io' }");
  Upstreams twice = once;
  FillDefaults(&twice);
  EXPECT_EQ(twice.DebugString(), once.DebugString());
}

TEST(UpstreamsDefaultsTest, LeavesOtherUpstreamsTheNamesOfDockerHubThatTheyHave) {
  const Upstreams file = Filled(R"(
    upstreams { name: 'docker.io' }
    upstreams { name: 'copy.example' aliases: 'Index.Docker.IO' }
  )");
  EXPECT_THAT(AliasesOf(file.upstreams(0)), ElementsAre("registry-1.docker.io"));
  EXPECT_THAT(AliasesOf(file.upstreams(1)), ElementsAre("index.docker.io"));
}

TEST(UpstreamsDefaultsTest, AllowsPrivateAddressesIfTheUrlIsOne) {
  struct Case {
    std::string url;
    bool allowed;
  };
  const Case cases[] = {
      {"http://127.0.0.1:5001", true}, {"http://localhost:5001", true},     {"https://[::1]", true},
      {"https://10.0.0.5", true},      {"https://[fd00::1]:5000", true},    {"https://[::ffff:10.0.0.5]", true},
      {"https://1.1.1.1", false},      {"https://registry.example", false}, {"https://10.0.0.5.example", false},
      {"https://127.1", false},
  };
  for (const Case& test : cases) {
    const Upstreams file = Filled("upstreams { name: 'a' url: '" + test.url + "' }");
    EXPECT_EQ(file.upstreams(0).allow_private_addresses(), test.allowed) << test.url;
  }
}

TEST(UpstreamsDefaultsTest, WritesNamesInOneForm) {
  const Upstreams file = Filled(R"(
    upstreams {
      name: 'docker.io'
      aliases: ['Hub.Example:443', 'no host']
      url: 'HTTPS://Mirror.Example:443/hub/'
      realm_hosts: ['Auth.Example.', 'auth.example:5001']
      pins { repository: 'debian' tag: '12' }
      pins { repository: 'a/b' }
      pins {}
      warm { repository: 'nginx' }
      warm { repository: 'a/b' interval { seconds: 60 } }
    }
    upstreams { name: 'quay.io' pins { repository: 'debian' } }
  )");
  const Upstream& hub = file.upstreams(0);
  EXPECT_THAT(AliasesOf(hub), ElementsAre("hub.example", "no host", "registry-1.docker.io", "index.docker.io"));
  EXPECT_EQ(hub.url(), "https://mirror.example/hub");
  EXPECT_THAT(hub.realm_hosts(), ElementsAre("auth.example", "auth.example:5001"));
  EXPECT_EQ(hub.pins(0).repository(), "library/debian");
  EXPECT_EQ(hub.pins(1).repository(), "a/b");
  EXPECT_EQ(hub.pins(2).repository(), "");
  EXPECT_EQ(hub.warm(0).repository(), "library/nginx");
  EXPECT_EQ(hub.warm(0).interval().seconds(), 3600);
  EXPECT_EQ(hub.warm(1).repository(), "a/b");
  EXPECT_EQ(hub.warm(1).interval().seconds(), 60);
  EXPECT_EQ(file.upstreams(1).pins(0).repository(), "debian");
}

}  // namespace
}  // namespace entrepot::upstream
