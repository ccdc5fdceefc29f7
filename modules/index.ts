import addHost from './add-host.ts';
import assertModule from './assert.ts';
import command from './command.ts';
import configFile from './config-file.ts';
import containerImage from './container-image.ts';
import copy from './copy.ts';
import debugModule from './debug.ts';
import fail from './fail.ts';
import file from './file.ts';
import fileTemplate from './file-template.ts';
import group from './group.ts';
import groupBy from './group-by.ts';
import kernelModule from './kernel-module.ts';
import kubeNode from './kube-node.ts';
import kubectlDrain from './kubectl-drain.ts';
import packageModule from './package.ts';
import pause from './pause.ts';
import setFact from './set-fact.ts';
import shell from './shell.ts';
import sysctl from './sysctl.ts';
import systemd from './systemd.ts';
import tarInstall from './tar-install.ts';
import user from './user.ts';
import waitFor from './wait-for.ts';

/** Every module that comes with runbook. A new one is added here. */
export const builtInModules = [
  addHost,
  assertModule,
  command,
  configFile,
  containerImage,
  copy,
  debugModule,
  fail,
  file,
  fileTemplate,
  group,
  groupBy,
  kernelModule,
  kubeNode,
  kubectlDrain,
  packageModule,
  pause,
  setFact,
  shell,
  sysctl,
  systemd,
  tarInstall,
  user,
  waitFor,
];
