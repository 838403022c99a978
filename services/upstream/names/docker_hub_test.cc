#include "services/upstream/names/docker_hub.h"

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

config::v1::Upstream Named(const std::string& name, const std::string& url = "", const std::string& alias = "") {
  config::v1::Upstream upstream;
  upstream.set_name(name);
  upstream.set_url(url);
  if (!alias.empty()) upstream.add_aliases(alias);
  return upstream;
}

TEST(DockerHubTest, KnowsItByAnyOfItsNames) {
  EXPECT_TRUE(IsDockerHub(Named("docker.io")));
  EXPECT_TRUE(IsDockerHub(Named("docker.io", "http://127.0.0.1:5001")));
  EXPECT_TRUE(IsDockerHub(Named("hub", "https://registry-1.docker.io")));
  EXPECT_TRUE(IsDockerHub(Named("hub", "https://mirror.example", "Index.Docker.IO:443")));
  EXPECT_FALSE(IsDockerHub(Named("quay.io", "https://quay.io")));
  EXPECT_FALSE(IsDockerHub(Named("notdocker.io", "https://mirror.docker.io", "registry-1.docker.io:5000")));
  EXPECT_FALSE(IsDockerHub(Named("hub", "https://registry-1.docker.io:5000")));
}

TEST(DockerHubTest, PutsTheLibraryBeforeNamesOfOneComponent) {
  EXPECT_EQ(NameAtDockerHub("nginx"), "library/nginx");
  EXPECT_EQ(NameAtDockerHub("library/nginx"), "library/nginx");
  EXPECT_EQ(NameAtDockerHub("grafana/grafana"), "grafana/grafana");
  EXPECT_EQ(NameAtDockerHub("library"), "library/library");
}

}  // namespace
}  // namespace entrepot::upstream
